declare module "*.mjs?url" {
  const url: string;
  export default url;
}

// A runtime's glue, made smaller and usable as a module: vite.config.ts.
declare module "*.js?glue" {
  const url: string;
  export default url;
}
