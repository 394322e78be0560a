import { isTree, type Tree } from "./contents";

/** What a cell of a row holds; `secretManager.version` lies one level deeper. */
export function cellOf(row: Tree, name: string): unknown {
  return name.split(".").reduce<unknown>((at, step) => (isTree(at) ? at[step] : undefined), row);
}

/** The row with another text in that cell. */
export function withCell(row: Tree, name: string, text: string): Tree {
  const [head = "", ...below] = name.split(".");
  if (below.length === 0) return { ...row, [head]: text };
  const inner = row[head];
  return { ...row, [head]: withCell(isTree(inner) ? inner : {}, below.join("."), text) };
}

/** Cells of a reference to a secret: of one's own, or of Google's Secret Manager. */
export function secretCells(row: Tree): readonly string[] {
  return isTree(row.secretManager)
    ? ["envName", "secretManager.secret", "secretManager.version"]
    : ["envName", "name", "key"];
}
