import { useMutation } from "@tanstack/react-query";
import { type Order, send } from "../api/client";
import type { Saved } from "../api/views";

/** Saving, activating, deleting: what comes of it is reported and read again, never drawn. */
export function useOrder() {
  return useMutation({ mutationFn: (order: Order) => send<Saved>(order) });
}
