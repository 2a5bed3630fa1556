import { Engine } from "./engine/client"; const e = new Engine(new URL("bundle/", location.href).href, () => 0); void e.start();
