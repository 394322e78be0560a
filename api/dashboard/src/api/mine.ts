/** What belongs to the person alone: spending, keys, secrets, all of it. */
import { useMutation, useMutationState, useQuery, useQueryClient } from "@tanstack/react-query";
import { keys } from "../live/cache";
import { read, send, withQuery } from "./client";
import type {
  IssuedUserKey,
  Person,
  Secret,
  Spending,
  UsageBy,
  UsageReport,
  UserKey,
} from "./views";

/** Model calls go on while a page is looked at. */
const USAGE_FRESH_MS = 30_000;

const KEYS = ["keys"] as const;
const DELETE_MINE = ["deleteMine"] as const;

/** null where it is not known, or not limited. */
export function useSpending(): Spending | null {
  const me = useQuery({
    queryKey: keys.me,
    queryFn: ({ signal }) => read<Person>("/api/me", signal),
    staleTime: USAGE_FRESH_MS,
  });
  return me.data?.spending ?? null;
}

export interface UsageQuestion {
  by: UsageBy;
  from: string;
  to: string;
  timeZone: string;
}

export function useUsage(question: UsageQuestion) {
  return useQuery({
    queryKey: ["usage", question],
    queryFn: ({ signal }) => read<UsageReport>(withQuery("/api/usage", { ...question }), signal),
    staleTime: USAGE_FRESH_MS,
    refetchInterval: USAGE_FRESH_MS,
  });
}

export function useKeys() {
  return useQuery({
    queryKey: KEYS,
    queryFn: async ({ signal }) => (await read<{ items: UserKey[] }>("/api/keys", signal)).items,
  });
}

export interface NewKey {
  name: string;
  scopes: string[];
  expiresSeconds: number | null;
}

/** The one answer that is shown: nobody can ask for a key a second time. */
export function useMakeKey() {
  const again = useReadAgain(KEYS);
  return useMutation({
    mutationFn: (key: NewKey) => send<IssuedUserKey>({ path: "/api/keys", body: key }),
    onSuccess: again,
  });
}

export function useRevokeKey() {
  const again = useReadAgain(KEYS);
  return useMutation({
    mutationFn: (id: string) =>
      send<void>({ method: "DELETE", path: `/api/keys/${encodeURIComponent(id)}` }),
    onSuccess: again,
  });
}

export function useSecrets() {
  return useQuery({
    queryKey: keys.secrets,
    queryFn: async ({ signal }) => (await read<{ items: Secret[] }>("/api/secrets", signal)).items,
  });
}

export function useSaveSecret() {
  const again = useReadAgain(keys.secrets);
  return useMutation({
    mutationFn: ({ name, values }: { name: string; values: Record<string, string> }) =>
      send<void>({ method: "PUT", path: secretPath(name), body: { values } }),
    onSuccess: again,
  });
}

export function useDeleteSecret() {
  const again = useReadAgain(keys.secrets);
  return useMutation({
    mutationFn: (name: string) => send<void>({ method: "DELETE", path: secretPath(name) }),
    onSuccess: again,
  });
}

export function useDeleteMine() {
  const body = { confirm: "delete everything" };
  return useMutation({
    mutationKey: DELETE_MINE,
    mutationFn: () => send<void>({ method: "DELETE", path: "/api/me", body }),
    gcTime: Number.POSITIVE_INFINITY,
  });
}

/** Still known when the session has ended with it. */
export function useIsMineDeleted(): boolean {
  const filters = { mutationKey: DELETE_MINE, status: "success" } as const;
  return useMutationState({ filters }).length > 0;
}

function secretPath(name: string): string {
  return `/api/secrets/${encodeURIComponent(name)}`;
}

/** What follows from a command is read, as everything is. */
function useReadAgain(queryKey: readonly string[]): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey });
}
