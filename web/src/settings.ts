// What a deployment sets, in settings.json beside the page.

export interface Settings {
  /** Share of mpox among the people with a rash who will use the page, 0.001 to 0.9. */
  prevalence: number;
}

const DEFAULTS: Settings = { prevalence: 0.1 };

/** The deployment's settings; a missing or odd file, or value, gives the defaults. */
export async function readSettings(): Promise<Settings> {
  try {
    const found: unknown = await (await fetch("settings.json")).json();
    const prevalence = (found as Partial<Settings> | null)?.prevalence;
    const usable = typeof prevalence === "number" && prevalence >= 0.001 && prevalence <= 0.9;
    return usable ? { prevalence } : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}
