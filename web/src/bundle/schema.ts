// Checks a value against the published schema of bundle.json; as much of JSON Schema as that file uses.

import schema from "../../../docs/bundle.schema.json";

type Schema = { readonly [key: string]: unknown };

const root = schema as Schema;

/** What is wrong with a value, naming the field; null when nothing is. */
export function fault(value: unknown): string | null {
  return check(value, root, "bundle.json");
}

function check(value: unknown, rule: Schema, where: string): string | null {
  if (typeof rule.$ref === "string") {
    const name = rule.$ref.replace("#/$defs/", "");
    return check(value, (root.$defs as Record<string, Schema>)[name]!, where);
  }
  if (Array.isArray(rule.anyOf)) {
    const found = (rule.anyOf as Schema[]).map((one) => check(value, one, where));
    return found.includes(null) ? null : found[0]!;
  }
  if (!fits(value, rule.type)) return `${where}: must be ${String(rule.type)}`;
  if ("const" in rule && value !== rule.const) return `${where}: must be ${String(rule.const)}`;
  if (Array.isArray(rule.enum) && !rule.enum.includes(value)) return `${where}: must be one of ${rule.enum.join(", ")}`;
  if (typeof value === "number") return checkNumber(value, rule, where);
  if (typeof value === "string") return checkText(value, rule, where);
  if (Array.isArray(value)) {
    if (value.length < Number(rule.minItems ?? 0)) return `${where}: too few items`;
    return firstOf(value.map((item, i) => () => check(item, rule.items as Schema, `${where}[${i}]`)));
  }
  if (value !== null && typeof value === "object") return checkRecord(value as Record<string, unknown>, rule, where);
  return null;
}

function fits(value: unknown, type: unknown): boolean {
  if (type === undefined) return true;
  if (type === "null") return value === null;
  if (type === "integer") return Number.isInteger(value);
  if (type === "number") return typeof value === "number" && Number.isFinite(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") return value !== null && typeof value === "object" && !Array.isArray(value);
  return typeof value === type;
}

function checkNumber(value: number, rule: Schema, where: string): string | null {
  const within =
    value >= Number(rule.minimum ?? -Infinity) &&
    value <= Number(rule.maximum ?? Infinity) &&
    value > Number(rule.exclusiveMinimum ?? -Infinity) &&
    value < Number(rule.exclusiveMaximum ?? Infinity);
  return within ? null : `${where}: ${value} is out of range`;
}

function checkText(value: string, rule: Schema, where: string): string | null {
  if (value.length < Number(rule.minLength ?? 0)) return `${where}: is empty`;
  if (typeof rule.pattern === "string" && !new RegExp(rule.pattern, "u").test(value)) return `${where}: ${value}`;
  return null;
}

function checkRecord(value: Record<string, unknown>, rule: Schema, where: string): string | null {
  const known = rule.properties as Record<string, Schema> | undefined;
  const rest = rule.additionalProperties;
  for (const name of (rule.required as string[] | undefined) ?? []) if (!(name in value)) return `${where}.${name}: missing`;
  return firstOf(
    Object.entries(value).map(([name, item]) => () => {
      const inner = known?.[name] ?? (typeof rest === "object" ? (rest as Schema) : null);
      if (inner) return check(item, inner, `${where}.${name}`);
      return rest === false ? `${where}.${name}: unknown field` : null;
    }),
  );
}

function firstOf(checks: (() => string | null)[]): string | null {
  for (const one of checks) {
    const found = one();
    if (found) return found;
  }
  return null;
}
