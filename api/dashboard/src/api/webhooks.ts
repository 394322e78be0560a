/** Who starts agents from elsewhere, and who is told what went wrong. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { keys } from "../live/cache";
import { read, send, withQuery } from "./client";
import type {
  Delivery,
  IssuedTriggerKey,
  IssuedWebhook,
  NewTriggerKey,
  NewWebhook,
  Page,
  TriggerKey,
  WebhookList,
} from "./views";

const PAGE = 20;

export function useTriggerKeys(agent: string) {
  return useQuery({
    queryKey: keys.triggers(agent),
    queryFn: async ({ signal }) =>
      (await read<{ items: TriggerKey[] }>(keysPath(agent), signal)).items,
  });
}

/** An answer that is shown: nobody can ask for a key a second time. */
export function useMakeTriggerKey(agent: string) {
  const again = useReadAgain(keys.triggers(agent));
  return useMutation({
    mutationFn: (body: NewTriggerKey) => send<IssuedTriggerKey>({ path: keysPath(agent), body }),
    onSuccess: again,
  });
}

export function useRevokeTriggerKey(agent: string) {
  const again = useReadAgain(keys.triggers(agent));
  return useMutation({
    mutationFn: (id: string) =>
      send<void>({ method: "DELETE", path: `${keysPath(agent)}/${encodeURIComponent(id)}` }),
    onSuccess: again,
  });
}

/** Those that hear of an agent; all of the person's without one. */
export function useWebhooks(agent: string | null) {
  return useQuery({
    queryKey: keys.webhooks(agent),
    queryFn: async ({ signal }) =>
      await read<WebhookList>(withQuery("/api/webhooks", { agent }), signal),
  });
}

/** An answer that is shown: nobody can ask for its secret a second time. */
export function useMakeWebhook() {
  const again = useReadAgain(["webhooks"]);
  return useMutation({
    mutationFn: (body: NewWebhook) => send<IssuedWebhook>({ path: "/api/webhooks", body }),
    onSuccess: again,
  });
}

export function useDeleteWebhook() {
  const again = useReadAgain(["webhooks"]);
  return useMutation({
    mutationFn: (id: string) => send<void>({ method: "DELETE", path: webhookPath(id) }),
    onSuccess: again,
  });
}

export function useDeliveries(webhook: string) {
  return useInfiniteQuery({
    queryKey: keys.deliveries(webhook),
    queryFn: ({ pageParam, signal }) =>
      read<Page<Delivery>>(
        withQuery(`${webhookPath(webhook)}/deliveries`, { cursor: pageParam, limit: PAGE }),
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
}

export function useRedeliver(webhook: string) {
  const again = useReadAgain(keys.deliveries(webhook));
  return useMutation({
    mutationFn: (id: string) =>
      send<void>({
        path: `${webhookPath(webhook)}/deliveries/${encodeURIComponent(id)}/redeliver`,
      }),
    onSuccess: again,
  });
}

function keysPath(agent: string): string {
  return `/api/agents/${encodeURIComponent(agent)}/trigger-keys`;
}

function webhookPath(id: string): string {
  return `/api/webhooks/${encodeURIComponent(id)}`;
}

/** What follows from a command is read, as everything is. */
function useReadAgain(queryKey: readonly unknown[]): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey });
}
