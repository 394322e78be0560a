import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { agentPath, type PreviewRequest, usePreview } from "../api/agents";
import { ApiError } from "../api/client";
import type { FieldError, Preview } from "../api/views";
import { useOrder } from "../lib/orders";
import { keys } from "../live/cache";
import { Refusal } from "../parts/States";
import { useWords } from "../words/words";
import { Changes } from "./Changes";
import { Conflict, SetAside } from "./Conflict";
import { patchBetween } from "./changes";
import type { Content, Revision } from "./contents";
import { EditForm } from "./EditForm";
import classes from "./EditTab.module.css";
import { conflictOf, type Editing, faultsOfEditing } from "./editing";
import { placeOf } from "./fields";
import { FormProvider, useFieldName } from "./form";
import { Cost, Missing, Touches, Warnings } from "./Outlook";
import type { Fault } from "./rules";
import type { Draft } from "./useEditing";

const TYPING_MS = 400;

/** The form of an agent, what it would come to, and the way to save it. */
export function EditTab({ id, latest, draft }: { id: string; latest: Revision; draft: Draft }) {
  const { editing, change, isUnsaved, isRestored, discard } = draft;
  const saving = useSave(id, draft);
  const preview = usePreviewOf(id, latest, editing.content).data;
  const faults = faultsOfEditing(editing);
  const conflict = conflictOf(editing, latest);
  const errors = [...(preview?.errors ?? []), ...saving.errors];
  return (
    <FormProvider value={{ editing, isLocked: false, faults, errors, change }}>
      {conflict && <Conflict conflict={conflict} resolve={draft.resolve} />}
      {draft.takeBack && <SetAside takeBack={draft.takeBack} forget={draft.forget} />}
      <div className={classes.columns}>
        <EditForm />
        <Aside preview={preview} errors={errors} />
      </div>
      <SaveBar
        isUnsaved={isUnsaved}
        isRestored={isRestored}
        isBusy={saving.isBusy}
        isConflict={conflict !== null}
        faults={faults}
        refusal={saving.refusal}
        save={saving.save}
        discard={discard}
      />
    </FormProvider>
  );
}

/** Saving: what comes of it is read again. Somebody else's edit shows as a conflict. */
function useSave(id: string, { editing, change }: { editing: Editing; change: Change }) {
  const client = useQueryClient();
  const order = useOrder();
  const sent = useRef<Content | null>(null);
  const save = () => {
    const { content, base } = editing;
    sent.current = content;
    change((now) => ({ ...now, sent: content }));
    const body = { ...content };
    const reread = () => client.invalidateQueries({ queryKey: keys.agentDetail(id) });
    order.mutate(
      { method: "PUT", path: agentPath(id), body, revision: base.number },
      { onSettled: () => void reread() },
    );
  };
  const problem = order.error instanceof ApiError ? order.error : null;
  const isRefusedField = problem?.status === 422 && (problem.problem?.errors?.length ?? 0) > 0;
  const isAbout = sent.current === editing.content;
  return {
    save,
    isBusy: order.isPending,
    errors: isRefusedField && isAbout ? (problem?.problem?.errors ?? []) : [],
    refusal: problem?.status === 412 || (isRefusedField && !isAbout) ? null : order.error,
  };
}

type Change = (next: (editing: Editing) => Editing) => void;

function usePreviewOf(id: string, latest: Revision, content: Content) {
  const [settled] = useDebouncedValue(content, TYPING_MS);
  const { name, description, spec } = settled;
  const request: PreviewRequest = {
    agent: id,
    description,
    spec: patchBetween(latest.content.spec, spec),
    ...(name.trim() ? { name } : {}),
  };
  return usePreview(request, latest.number);
}

function Aside({
  preview,
  errors,
}: {
  preview: Preview | undefined;
  errors: readonly FieldError[];
}) {
  const { t } = useWords();
  const unplaced = errors.filter(({ field }) => placeOf(field) === null);
  if (!preview) return <aside className={classes.aside} aria-label={t("outlook.title")} />;
  return (
    <aside className={classes.aside} aria-label={t("outlook.title")}>
      <h2>{t("outlook.title")}</h2>
      <Missing missing={preview.missing} />
      <Warnings warnings={preview.warnings} />
      {unplaced.map(({ field, message }) => (
        <p key={field} className={classes.unplaced}>
          <code>{field}</code>: {message}
        </p>
      ))}
      <Cost preview={preview} />
      {preview.touches && <Touches touches={preview.touches} />}
      <div>
        <h3>{t("outlook.changes")}</h3>
        <Changes changes={preview.changes} label={t("outlook.changes")} />
      </div>
    </aside>
  );
}

function SaveBar({
  isUnsaved,
  isRestored,
  isBusy,
  isConflict,
  faults,
  refusal,
  save,
  discard,
}: {
  isUnsaved: boolean;
  isRestored: boolean;
  isBusy: boolean;
  isConflict: boolean;
  faults: ReadonlyMap<string, Fault>;
  refusal: unknown;
  save: () => void;
  discard: () => void;
}) {
  const { t } = useWords();
  const name = useFieldName();
  const canSave = isUnsaved && faults.size === 0 && !isConflict && !isBusy;
  useSaveKey(canSave ? save : null);
  const wrong = [...faults.keys()].map(name);
  if (!isUnsaved && !isBusy) return null;
  return (
    <section className={classes.bar} aria-label={t("edit.bar")}>
      {refusal !== null && (
        <div className={classes.refusal}>
          <Refusal error={refusal} />
        </div>
      )}
      <p role="status" className={classes.state}>
        {wrong.length > 0
          ? t("edit.wrong", { fields: [...new Set(wrong)].join(", ") })
          : isRestored
            ? t("edit.restored")
            : t("edit.unsaved")}
      </p>
      <Button variant="default" disabled={!isUnsaved || isBusy} onClick={discard}>
        {t("edit.discard")}
      </Button>
      <Button disabled={!canSave && !isBusy} loading={isBusy} onClick={save}>
        {t("edit.save")}
      </Button>
    </section>
  );
}

/** Ctrl+S and ⌘S, as everywhere. */
function useSaveKey(save: (() => void) | null) {
  const latest = useRef(save);
  latest.current = save;
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      latest.current?.();
    };
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, []);
}
