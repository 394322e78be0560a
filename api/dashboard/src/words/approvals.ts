/** Texts of what runs ask for, and of what people say to it. */
export const APPROVALS = {
  "nav.approvals": { en: "Approvals", ko: "승인" },
  "approvals.title": { en: "Approvals", ko: "승인" },
  "approvals.detail": {
    en: "What agents want to do outside of their workspace. Nothing of it happens before you say yes.",
    ko: "에이전트가 작업 공간 밖에서 하려는 일입니다. 승인하기 전에는 아무 일도 일어나지 않습니다.",
  },
  "approvals.open": { en: "Waiting for a decision", ko: "결정을 기다리는 요청" },
  "approvals.ended": { en: "Decided", ko: "처리된 요청" },
  "approvals.none": { en: "Nothing is waiting for you", ko: "기다리는 요청이 없습니다" },
  "approvals.noneDetail": {
    en: "When an agent wants to send, publish, pay or delete something, it asks here.",
    ko: "에이전트가 무언가를 보내거나 게시하거나 결제하거나 삭제하려고 하면 여기에서 묻습니다.",
  },
  "approvals.ofRun": { en: "What this run asked for", ko: "이 실행이 요청한 일" },
  "approvals.attention": { en: "Waiting for your decision", ko: "결정이 필요한 요청" },
  "approvals.all": { en: "All approvals", ko: "모든 승인 요청" },
  "approvals.toRun": { en: "Show the run", ko: "실행 보기" },
  "missing.approval": {
    en: "There is no such approval, or it belongs to somebody else.",
    ko: "해당 승인 요청이 없거나 다른 사람의 요청입니다.",
  },

  "approvals.facts": { en: "In short", ko: "요약" },
  "approvals.what": { en: "What", ko: "무엇을" },
  "approvals.target": { en: "Where to", ko: "어디로" },
  "approvals.nowhere": { en: "Not stated", ko: "알 수 없음" },
  "approvals.agent": { en: "Agent", ko: "에이전트" },
  "approvals.tool": { en: "Tool", ko: "도구" },
  "approvals.cost": { en: "Cost so far", ko: "지금까지 비용" },
  "approvals.expires": { en: "Answer by", ko: "결정 기한" },
  "approvals.asked": { en: "Asked", ko: "요청 시각" },
  "approvals.quorum": { en: "Approvals needed", ko: "필요한 승인" },
  "approvals.quorumOf": { en: "{counted} of {quorum}", ko: "{quorum}명 중 {counted}명" },
  "approvals.whole": { en: "Exactly this would happen", ko: "정확히 이렇게 실행됩니다" },
  "approvals.incomplete": {
    en: "The whole action can't be shown",
    ko: "동작 전체를 보여줄 수 없습니다",
  },
  "approvals.incompleteDetail": {
    en: "It is too long, or it never arrived whole. It can only be denied.",
    ko: "너무 길거나 전부 전달되지 않았습니다. 거부만 할 수 있습니다.",
  },
  "approvals.hidden": {
    en: "Marked places are characters that can't be seen, or padding.",
    ko: "표시된 부분은 눈에 보이지 않는 문자이거나 여백입니다.",
  },
  "approvals.digest": { en: "Fingerprint of the action", ko: "동작의 지문" },

  "approvals.mark.spaces": { en: "{count} spaces", ko: "공백 {count}개" },
  "approvals.mark.lines": { en: "{count} empty lines", ko: "빈 줄 {count}개" },

  "approvals.said": { en: "What the agent says about it", ko: "에이전트의 설명" },
  "approvals.saidDetail": {
    en: "The agent wrote this. Nobody checked it, and it may be wrong.",
    ko: "에이전트가 쓴 글입니다. 확인되지 않았으며 사실과 다를 수 있습니다.",
  },
  "approvals.saidNothing": { en: "It said nothing before.", ko: "남긴 설명이 없습니다." },

  "approvals.onNo": { en: "If you say no", ko: "거부하면" },
  "approvals.onNoDetail": {
    en: "It does not happen. The agent is told your reason and goes on without it.",
    ko: "이 일은 일어나지 않습니다. 에이전트는 거부 사유를 전달받고 이 일 없이 계속합니다.",
  },
  "approvals.onSilence": {
    en: "Without an answer by {time} it does not happen either, and the run ends.",
    ko: "{time}까지 결정하지 않아도 이 일은 일어나지 않으며 실행이 끝납니다.",
  },
  "approvals.reason": { en: "Reason (the agent is told)", ko: "사유(에이전트에게 전달)" },
  "approvals.approve": { en: "Approve", ko: "승인" },
  "approvals.deny": { en: "Deny", ko: "거부" },
  "approvals.denyAll": { en: "Deny all and suspend the agent", ko: "모두 거부하고 에이전트 중지" },
  "approvals.denyAllAsk": {
    en: "Deny all that this run still asks for? Its agent starts nothing more until you activate it again.",
    ko: "이 실행의 남은 요청을 모두 거부할까요? 에이전트는 다시 활성화할 때까지 아무것도 시작하지 않습니다.",
  },
  "approvals.denyAllYes": { en: "Deny all and suspend", ko: "모두 거부하고 중지" },
  "approvals.taken": {
    en: "Your decision was taken. What comes of it shows here.",
    ko: "결정을 접수했습니다. 결과는 여기에 표시됩니다.",
  },
  "approvals.signIn": { en: "Sign in to decide", ko: "로그인하고 결정하기" },
  "approvals.signInDetail": {
    en: "Guests can't decide. What waits comes with you when you sign in.",
    ko: "게스트는 결정할 수 없습니다. 로그인하면 기다리는 요청이 그대로 옮겨집니다.",
  },
  "approvals.noSignIn": {
    en: "Guests can't decide, and nobody can sign in here. Whoever has the rights decides with kubectl.",
    ko: "게스트는 결정할 수 없고 여기에는 로그인이 없습니다. 권한이 있는 사람이 kubectl로 결정합니다.",
  },
  "approvals.others": {
    en: "You may deny it. Somebody else than the person who started the run has to approve.",
    ko: "거부는 할 수 있습니다. 승인은 실행을 시작한 사람이 아닌 다른 사람이 해야 합니다.",
  },

  "approvals.unknown": { en: "Did it happen?", ko: "실제로 실행되었나요?" },
  "approvals.unknownDetail": {
    en: "It was approved, and the pod is gone without telling what came of it. Look where it would have arrived. It is never repeated by itself.",
    ko: "승인되었지만 결과를 알리지 않은 채 컨테이너가 사라졌습니다. 도착했을 곳을 확인하세요. 저절로 다시 실행되지는 않습니다.",
  },
  "approvals.happened": { en: "It happened", ko: "실행되었음" },
  "approvals.didNotHappen": { en: "It did not happen", ko: "실행되지 않았음" },

  "approvals.decisions": { en: "Who decided", ko: "결정한 사람" },
  "approvals.you": { en: "You", ko: "나" },
  "approvals.decision.Approve": { en: "Approved", ko: "승인함" },
  "approvals.decision.Deny": { en: "Denied", ko: "거부함" },
  "approvals.receipt": { en: "What came of it", ko: "결과" },
  "approvals.source.Pod": {
    en: "By the pod's own word: nobody else saw it.",
    ko: "컨테이너가 직접 알린 내용이며 다른 확인은 없습니다.",
  },
  "approvals.source.Broker": {
    en: "Done and confirmed by the broker, outside of the pod.",
    ko: "컨테이너 밖의 중개 프로그램이 실행하고 확인했습니다.",
  },
  "approvals.source.Person": { en: "A person said so.", ko: "사람이 확인했습니다." },

  "askClass.Read": { en: "Read something", ko: "읽기" },
  "askClass.WriteInside": { en: "Write in its workspace", ko: "작업 공간에 쓰기" },
  "askClass.Execute": { en: "Run a program", ko: "프로그램 실행" },
  "askClass.Network": { en: "Open a connection", ko: "네트워크 연결" },
  "askClass.Send": { en: "Send something out", ko: "외부로 보내기" },
  "askClass.Publish": { en: "Publish something", ko: "게시하기" },
  "askClass.Pay": { en: "Pay", ko: "결제" },
  "askClass.DeleteOutside": { en: "Delete outside of its workspace", ko: "작업 공간 밖에서 삭제" },
  "askClass.Credential": { en: "Use a credential", ko: "자격 증명 사용" },
  "askClass.Unknown": { en: "Something nobody could judge", ko: "판단할 수 없는 동작" },

  "askState.Pending": { en: "Waiting", ko: "대기" },
  "askState.Granted": { en: "Approved", ko: "승인됨" },
  "askState.Claimed": { en: "Being done", ko: "실행 중" },
  "askState.Done": { en: "Done", ko: "완료" },
  "askState.Denied": { en: "Denied", ko: "거부됨" },
  "askState.Expired": { en: "Expired", ko: "기한 지남" },
  "askState.Withdrawn": { en: "Withdrawn", ko: "철회됨" },
  "askState.OutcomeUnknown": { en: "Outcome unknown", ko: "결과 알 수 없음" },

  "askFact.cwd": { en: "Folder", ko: "폴더" },
  "askFact.egress": { en: "Hosts that the run may reach", ko: "접근할 수 있는 호스트" },
  "askFact.operands": { en: "Files that are sent or run", ko: "보내거나 실행하는 파일" },
  "askFact.workspace": { en: "Storage", ko: "저장 공간" },
  "askFact.policy": { en: "Policy version", ko: "정책 버전" },
  "askFact.host": { en: "Host", ko: "호스트" },
  "askFact.argv0": { en: "Program", ko: "프로그램" },
  "askFact.path": { en: "Path", ko: "경로" },

  "status.heardAsk": { en: "{agent} asks: {what}", ko: "{agent} 승인 요청: {what}" },
  "status.heardAnswer": { en: "{state}: {what}", ko: "{state} 처리: {what}" },
} as const satisfies Record<string, Record<"en" | "ko", string>>;
