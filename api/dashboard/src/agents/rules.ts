/** What is wrong with a value, by the rules of the resource (api/agent.rules.json). */
import rules from "../api/agent.rules.json";
import { cellOf, secretCells } from "./cells";
import { type Content, isTree, type Tree, valueAt } from "./contents";
import { isTextField, KINDS } from "./fields";
import { showValue } from "./kinds";

/** A text of the catalogue and what fills it. */
export interface Fault {
  readonly key:
    | "fault.required"
    | "fault.minimum"
    | "fault.maximum"
    | "fault.maxLength"
    | "fault.maxItems"
    | "fault.pattern"
    | "fault.item"
    | "fault.reserved"
    | "fault.twice"
    | "fault.unread"
    | "hosts.twice";
  readonly values?: Record<string, string | number>;
}

interface Rule {
  readonly type?: string;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Rule;
  readonly properties?: Readonly<Record<string, Rule>>;
}

const SPEC: Rule = rules;
const OWN: Readonly<Record<string, Rule>> = {
  name: { type: "string", minLength: 1, maxLength: 120 },
  description: SPEC.properties?.description ?? {},
};
const RESERVED = ["HELIOSTAT_", "ANTHROPIC_", "OPENAI_", "CLAUDE_"];

/** The rule of `spec.tools.allow`; undefined when resources have no such field. */
export function ruleAt(path: string): Rule | undefined {
  const [head = "", ...steps] = path.split(".");
  if (head !== "spec") return OWN[head];
  return steps.reduce<Rule | undefined>((rule, step) => rule?.properties?.[step], SPEC);
}

/** What holds where nothing is said. */
export function defaultAt(path: string): unknown {
  return ruleAt(path)?.default;
}

/** Of a value that is there. */
export function faultOf(path: string, value: unknown): Fault | null {
  const rule = ruleAt(path);
  if (!rule || value === undefined || value === null) return null;
  if (typeof value === "number") return faultOfNumber(path, rule, value);
  if (typeof value === "string") return faultOfText(rule, value);
  return Array.isArray(value) ? faultOfList(rule, value) : null;
}

function faultOfNumber(path: string, rule: Rule, value: number): Fault | null {
  const say = (limit: number) =>
    isTextField(path) ? showValue(KINDS[path], limit) : String(limit);
  if (rule.minimum !== undefined && value < rule.minimum) {
    return { key: "fault.minimum", values: { limit: say(rule.minimum) } };
  }
  if (rule.maximum !== undefined && value > rule.maximum) {
    return { key: "fault.maximum", values: { limit: say(rule.maximum) } };
  }
  return null;
}

function faultOfText(rule: Rule, value: string): Fault | null {
  // Characters as the server counts them, not UTF-16 units.
  const length = [...value].length;
  if (length < (rule.minLength ?? 0)) return { key: "fault.required" };
  if (rule.maxLength !== undefined && length > rule.maxLength) {
    return { key: "fault.maxLength", values: { limit: rule.maxLength } };
  }
  if (rule.pattern && !new RegExp(rule.pattern, "u").test(value)) return { key: "fault.pattern" };
  return null;
}

function faultOfList(rule: Rule, value: readonly unknown[]): Fault | null {
  if (value.length < (rule.minItems ?? 0)) return { key: "fault.required" };
  if (rule.maxItems !== undefined && value.length > rule.maxItems) {
    return { key: "fault.maxItems", values: { limit: rule.maxItems } };
  }
  const wrong = value.find((each) => typeof each === "string" && !fits(rule.items, each));
  return wrong === undefined ? null : { key: "fault.item", values: { item: String(wrong) } };
}

function fits(rule: Rule | undefined, value: string): boolean {
  return !rule || faultOfText(rule, value) === null;
}

/** One cell of a table of objects: `spec.workspace.env`, row 2, `name`. */
function faultOfCell(path: string, cell: string, value: unknown): Fault | null {
  const rule = ruleOfCell(path, cell);
  return rule && typeof value === "string" ? faultOfText(rule, value) : null;
}

function defaultOfCell(path: string, cell: string): unknown {
  return ruleOfCell(path, cell)?.default;
}

/** A cell may lie deeper: `secretManager.version`. */
function ruleOfCell(path: string, cell: string): Rule | undefined {
  return cell
    .split(".")
    .reduce<Rule | undefined>((rule, step) => rule?.properties?.[step], ruleAt(path)?.items);
}

/** Every field by its path, as the server writes them: `spec.workspace.env[0].name`. */
export function faultsOf(content: Content): Map<string, Fault> {
  const faults = new Map<string, Fault>();
  const note = (path: string, fault: Fault | null) => fault && faults.set(path, fault);
  if (content.name.trim() === "") note("name", { key: "fault.required" });
  const lists = ["spec.tools.allow", "spec.tools.deny"];
  for (const path of [...Object.keys(KINDS), ...lists]) {
    if (!faults.has(path) && path !== "spec.prompt")
      note(path, faultOf(path, valueAt(content, path)));
  }
  for (const [path, fault] of faultsOfVariables(content)) note(path, fault);
  for (const [path, fault] of faultsOfHosts(content)) note(path, fault);
  return faults;
}

const TABLES = [
  { path: "spec.workspace.env", cells: () => ["name", "value"], variable: "name" },
  { path: "spec.workspace.secretRefs", cells: secretCells, variable: "envName" },
] as const;

function* faultsOfVariables(content: Content): Generator<[string, Fault]> {
  const named = new Set<string>();
  for (const { path, cells, variable } of TABLES) {
    const rows = valueAt(content, path);
    for (const [at, row] of (Array.isArray(rows) ? rows : []).entries()) {
      if (!isTree(row)) continue;
      yield* faultsOfRow(path, at, row, cells(row));
      const name = String(row[variable] ?? "");
      const fault = faultOfVariable(name, named);
      if (fault) yield [`${path}[${at}].${variable}`, fault];
      named.add(name);
    }
  }
}

function* faultsOfRow(
  path: string,
  at: number,
  row: Tree,
  cells: readonly string[],
): Generator<[string, Fault]> {
  for (const cell of cells) {
    const fault = faultOfCell(path, cell, cellOf(row, cell) ?? defaultOfCell(path, cell) ?? "");
    if (fault) yield [`${path}[${at}].${cell}`, fault];
  }
}

function faultOfVariable(name: string, named: ReadonlySet<string>): Fault | null {
  const prefix = RESERVED.find((each) => name.startsWith(each));
  if (prefix) return { key: "fault.reserved", values: { prefix } };
  return name && named.has(name) ? { key: "fault.twice" } : null;
}

function* faultsOfHosts(content: Content): Generator<[string, Fault]> {
  const path = "spec.workspace.egress";
  const rows = valueAt(content, path);
  const named = new Set<string>();
  for (const [at, row] of (Array.isArray(rows) ? rows : []).entries()) {
    if (!isTree(row)) continue;
    yield* faultsOfRow(path, at, row, ["host"]);
    const host = String(row.host ?? "");
    if (host && named.has(host)) yield [`${path}[${at}].host`, { key: "hosts.twice" }];
    named.add(host);
  }
}
