/** Cost by model: the ledger knows the sum, the agent's own program how it is made up. */
import type { TranscriptEvent } from "../api/views";
import { fieldsOf, numberAt, partAt, textAt } from "./json";

export interface ModelShare {
  model: string;
  /** In the program's own dollars: a share, not a bill. */
  cost: number;
  tokens: number;
}

const TOKENS = ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"];

/** What a `result` event says of each model; nothing for other events. */
export function sharesOf(event: TranscriptEvent): readonly ModelShare[] {
  if (textAt(event, "type") !== "result") return [];
  return Object.entries(partAt(event, "modelUsage")).map(([model, value]) => {
    const used = fieldsOf(value);
    const tokens = TOKENS.reduce((sum, name) => sum + (numberAt(used, name) ?? 0), 0);
    return { model, cost: Math.max(0, numberAt(used, "costUSD") ?? 0), tokens };
  });
}

export interface ModelCost {
  model: string;
  costMicros: number;
  tokens: number;
}

/** The sum is kept to the micro-dollar: what rounding leaves goes to the dearest. */
export function costByModel(shares: readonly ModelShare[], totalMicros: number): ModelCost[] {
  const models = [...new Set(shares.map(({ model }) => model))].map((model) =>
    together(shares.filter((share) => share.model === model)),
  );
  const whole = models.reduce((sum, { cost }) => sum + cost, 0);
  const costs = models
    .map(({ model, cost, tokens }) => ({
      model,
      tokens,
      costMicros: whole > 0 ? Math.floor((totalMicros * cost) / whole) : 0,
    }))
    .sort((one, other) => other.costMicros - one.costMicros || other.tokens - one.tokens);
  const told = costs.reduce((sum, { costMicros }) => sum + costMicros, 0);
  return costs.map((each, at) =>
    at === 0 ? { ...each, costMicros: each.costMicros + totalMicros - told } : each,
  );
}

/** An attempt that was resumed ends more than once. */
function together(shares: readonly ModelShare[]): ModelShare {
  return {
    model: shares[0]?.model ?? "",
    cost: shares.reduce((sum, { cost }) => sum + cost, 0),
    tokens: shares.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}
