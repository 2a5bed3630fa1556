// What a deployment sets, in settings.json beside the page.

export interface Settings {
  /** Share of mpox among the people with a rash who will use the page, 0.001 to 0.9. */
  prevalence: number;
  /** Origin of the clinic's server that results may be sent to; null for none. The page's policy must name it too. */
  clinic: string | null;
}

const DEFAULTS: Settings = { prevalence: 0.1, clinic: null };

/** The deployment's settings; a missing or odd file, or value, gives the defaults. */
export async function readSettings(): Promise<Settings> {
  try {
    return settingsOf(await (await fetch("settings.json")).json());
  } catch {
    return DEFAULTS;
  }
}

export function settingsOf(found: unknown): Settings {
  const { prevalence, clinic } = (found ?? {}) as { [name in keyof Settings]?: unknown };
  const usable = typeof prevalence === "number" && prevalence >= 0.001 && prevalence <= 0.9;
  return { prevalence: usable ? prevalence : DEFAULTS.prevalence, clinic: isOrigin(clinic) ? clinic : DEFAULTS.clinic };
}

/** This computer alone: nothing goes over a network, and browsers trust it as they trust TLS. */
const LOCAL = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Whether a value is an https origin, or one of this computer, and nothing more. */
function isOrigin(value: unknown): value is string {
  if (typeof value !== "string" || !(value.startsWith("https://") || LOCAL.test(value))) return false;
  try {
    return new URL(value).origin === value;
  } catch {
    return false;
  }
}
