/** The names by which the pages know the server's shapes (schema.d.ts, made of api/openapi.json). */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Approval = Schemas["ApprovalView"];
export type Attempt = Schemas["AttemptView"];
export type Execution = Schemas["ExecutionView"];
export type Agent = Schemas["AgentView"];
export type AgentDetail = Schemas["AgentDetailView"];
export type Preview = Schemas["PreviewView"];
export type SchedulePreview = Schemas["SchedulePreviewView"];
export type SecretList = Schemas["SecretList"];
export type Receipt = Schemas["ReceiptView"];
export type RevisionSummary = Schemas["RevisionView"];
export type RevisionDetail = Schemas["RevisionDetailView"];
export type RunCounts = Schemas["ExecutionCounts"];
export type CancelResult = Schemas["CancelResult"];
export type Saved = Schemas["Saved"];
export type FieldError = Schemas["FieldError"];
export type Person = Schemas["PersonView"];
export type Snapshot = Schemas["SnapshotView"];
export type Output = Schemas["OutputView"];
export type Pieces = Schemas["PiecesView"];
export type TranscriptPage = Schemas["TranscriptView"];
export type RunFile = Schemas["FileView"];
export type FileList = Schemas["FileList"];
export type LeftOut = Schemas["LeftOutView"];
export type RunDiff = Schemas["ExecutionDiffView"];
export type FieldChange = Schemas["FieldChangeView"];
export type FileChange = Schemas["FileChangeView"];
export type UsageReport = Schemas["UsageReport"];
export type UsageRow = Schemas["UsageRow"];
export type UsageBy = UsageReport["by"];
export type Tokens = Schemas["TokensView"];
export type UserKey = Schemas["KeyView"];
export type IssuedUserKey = Schemas["IssuedUserKey"];
export type Spending = Schemas["SpendingView"];
export type Model = Schemas["ModelView"];
export type Secret = Schemas["SecretView"];
export type Accepted = Schemas["Accepted"];
export type Problem = Schemas["Problem"];
export type Conversation = Schemas["ConversationView"];
export type Message = Schemas["MessageView"];
export type Fire = SchedulePreview["fires"][number];
export type TriggerKey = Schemas["TriggerKeyView"];
export type NewTriggerKey = Schemas["NewTriggerKey"];
export type IssuedTriggerKey = Schemas["IssuedTriggerKey"];
export type Webhook = Schemas["WebhookView"];
export type WebhookList = Schemas["WebhookList"];
export type NewWebhook = Schemas["NewWebhook"];
export type IssuedWebhook = Schemas["IssuedWebhook"];
export type Delivery = Schemas["DeliveryView"];
type Gone = Schemas["GoneView"];

/** An event of a transcript: a stranger's JSON, read by transcript/timeline.ts. */
export type TranscriptEvent = Output["events"][number];

type AskReportType =
  | "approval.asked"
  | "approval.decided"
  | "approval.executed"
  | "approval.outcome_unknown";

type ReportOf<Type extends string, Payload> = Omit<Schemas["ReportView"], "type" | "payload"> & {
  type: Type;
  payload: Payload;
};

export type Report =
  | ReportOf<"agent.changed", Agent>
  | ReportOf<"agent.deleted", Gone>
  | ReportOf<"execution.changed", Execution>
  | ReportOf<"execution.output", Output>
  | ReportOf<"execution.pieces", Pieces>
  | ReportOf<AskReportType, Schemas["ApprovalReportView"]>
  | ReportOf<"conversation.changed", Conversation>
  | ReportOf<"conversation.deleted", { id: string }>
  | ReportOf<"things.changed", Schemas["ThingsView"]>;

export interface Page<Item> {
  items: Item[];
  next: string | null;
}
