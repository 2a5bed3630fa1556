// What is known about the person beside the photo. Undefined means not asked or not known: neither yes nor no.

export const YES_NO = ["contact_with_case_21d", "exposure", "fever", "swollen_lymph_nodes", "risk_group"] as const;
export const SEXES = ["female", "male", "other"] as const;

export type YesNo = (typeof YES_NO)[number];

export type Context = { [name in YesNo]?: boolean } & { age?: number; sex?: (typeof SEXES)[number] };

/** Codes of the reasons for which this person is referred whatever the photo shows. */
export function overriding(context: Context): string[] {
  const codes: string[] = [];
  if (context.contact_with_case_21d) codes.push("context.contact");
  if (context.fever && context.swollen_lymph_nodes) codes.push("context.fever_and_nodes");
  return codes;
}
