import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useDecide, useDenyAll, useResolve } from "../api/approvals";
import { useAgents, useMe } from "../api/queries";
import type { Approval } from "../api/views";
import { isWhole } from "../lib/asks";
import { Callout } from "../parts/Callout";
import { Confirm } from "../parts/Confirm";
import { Refusal } from "../parts/States";
import { useWords } from "../words/words";
import classes from "./Approvals.module.css";

/** What a person can do about an open ask. */
export function Deciding({ ask }: { ask: Approval }) {
  const me = useMe().data;
  if (!me) return null;
  if (me.kind === "guest") return <SignIn ask={ask} canSignIn={me.canSignIn ?? false} />;
  if (ask.state === "OutcomeUnknown") return <Resolving ask={ask} />;
  return ask.state === "Pending" ? <YesOrNo ask={ask} me={`heliostat:${me.id}`} /> : null;
}

function SignIn({ ask, canSignIn }: { ask: Approval; canSignIn: boolean }) {
  const { t } = useWords();
  const next = encodeURIComponent(`/approvals/${ask.id}`);
  return (
    <div className={classes.decide}>
      <p>{t(canSignIn ? "approvals.signInDetail" : "approvals.noSignIn")}</p>
      {canSignIn && (
        <Button component="a" href={`/auth/sign-in?next=${next}`}>
          {t("approvals.signIn")}
        </Button>
      )}
    </div>
  );
}

function YesOrNo({ ask, me }: { ask: Approval; me: string }) {
  const { t, instant } = useWords();
  const [reason, setReason] = useState("");
  const [shownAt] = useState(Date.now);
  const decide = useDecide(ask);
  const isBarred = !ask.requesterMayApprove && ask.requestedBy === me;
  // Approvers decide on what is another person's, whose agent they don't suspend.
  const isOwn = useAgents().data?.some(
    ({ id, managedBy }) => id === ask.agentId && managedBy === "dashboard",
  );
  const isTaken = decide.isSuccess || ask.decisions.some(({ by }) => by === me);
  const send = (decision: "approve" | "deny") => decide.mutate({ decision, reason, shownAt });
  return (
    <section className={classes.decide} aria-label={t("approvals.open")}>
      <div>
        <strong>{t("approvals.onNo")}</strong>
        <p>{t("approvals.onNoDetail")}</p>
        <p>{t("approvals.onSilence", { time: instant(ask.expiresTime) })}</p>
      </div>
      {isBarred && <p>{t("approvals.others")}</p>}
      <TextInput
        label={t("approvals.reason")}
        value={reason}
        maxLength={1024}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <div className={classes.buttons}>
        <Button
          size="md"
          disabled={!isWhole(ask) || isBarred || isTaken}
          loading={decide.isPending && decide.variables.decision === "approve"}
          onClick={() => send("approve")}
        >
          {t("approvals.approve")}
        </Button>
        <Button
          size="md"
          variant="default"
          disabled={isTaken}
          loading={decide.isPending && decide.variables.decision === "deny"}
          onClick={() => send("deny")}
        >
          {t("approvals.deny")}
        </Button>
      </div>
      {isTaken && <p role="status">{t("approvals.taken")}</p>}
      <Refusal error={decide.error} />
      {isOwn && !isTaken && <DenyAll ask={ask} reason={reason} />}
    </section>
  );
}

function DenyAll({ ask, reason }: { ask: Approval; reason: string }) {
  const { t } = useWords();
  const deny = useDenyAll(ask);
  return (
    <>
      <Confirm
        label={t("approvals.denyAll")}
        ask={t("approvals.denyAllAsk")}
        yes={t("approvals.denyAllYes")}
        button={{ size: "xs", variant: "subtle" }}
        isPending={deny.isPending || deny.isSuccess}
        onYes={() => deny.mutate(reason)}
      />
      <Refusal error={deny.error} />
    </>
  );
}

function Resolving({ ask }: { ask: Approval }) {
  const { t } = useWords();
  const [reason, setReason] = useState("");
  const resolve = useResolve(ask);
  const send = (outcome: "happened" | "did_not_happen") => resolve.mutate({ outcome, reason });
  return (
    <Callout tone="warn" icon="alert" title={t("approvals.unknown")}>
      <p>{t("approvals.unknownDetail")}</p>
      <TextInput
        label={t("approvals.reason")}
        value={reason}
        maxLength={1024}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <div className={classes.buttons}>
        <Button
          disabled={resolve.isSuccess}
          loading={resolve.isPending}
          onClick={() => send("happened")}
        >
          {t("approvals.happened")}
        </Button>
        <Button
          variant="default"
          disabled={resolve.isSuccess}
          loading={resolve.isPending}
          onClick={() => send("did_not_happen")}
        >
          {t("approvals.didNotHappen")}
        </Button>
      </div>
      {resolve.isSuccess && <p role="status">{t("approvals.taken")}</p>}
      <Refusal error={resolve.error} />
    </Callout>
  );
}
