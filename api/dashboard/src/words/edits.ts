/** Changing an agent: preview, saving, conflicts, revisions, activation. */
export const EDITS = {
  "changes.none": { en: "No changes.", ko: "바뀌는 내용이 없습니다." },
  "changes.before": { en: "Before", ko: "이전" },
  "changes.after": { en: "After", ko: "이후" },
  "changes.absent": { en: "not set", ko: "설정 안 함" },

  "outlook.title": { en: "What to expect", ko: "예상 결과" },
  "outlook.cost": { en: "What it may cost", ko: "예상 비용" },
  "outlook.noHistory": { en: "No history: it has not run yet.", ko: "아직 실행 기록이 없습니다." },
  "outlook.history": {
    en: "Runs so far ({count}) cost {average} on average, {highest} at most.",
    ko: "최근 {count}회 실행은 평균 {average}, 최대 {highest}였습니다.",
  },
  "outlook.limit": { en: "A run stops at about {limit}.", ko: "약 {limit}에서 실행이 멈춥니다." },
  "outlook.warnings": { en: "Worth a second look", ko: "다시 확인할 점" },
  "outlook.touches": { en: "What it may touch", ko: "접근 범위" },
  "outlook.tools": { en: "Tools", ko: "도구" },
  "outlook.denied": { en: "Never", ko: "금지" },
  "outlook.hosts": { en: "Hosts", ko: "호스트" },
  "outlook.secrets": { en: "Secrets", ko: "시크릿" },
  "outlook.red": { en: "Acts outside its workspace", ko: "작업 공간 밖에서 하는 일" },
  "outlook.redDetail": {
    en: "With these it can share, send, pay or delete outside its workspace. No approval is asked.",
    ko: "작업 폴더 밖에서 공유, 전송, 결제, 삭제를 할 수 있는 수단이며 승인을 묻지 않습니다.",
  },
  "outlook.anyHost": { en: "any that the network allows", ko: "네트워크가 허용하는 모든 곳" },
  "outlook.nothing": { en: "none", ko: "없음" },
  "outlook.missing": {
    en: "Still needed to activate it: {fields}",
    ko: "활성화에 더 필요한 항목: {fields}",
  },
  "outlook.changes": { en: "What saving changes", ko: "저장하면 바뀌는 내용" },
  "outlook.month": {
    en: "Starts in the next 30 days: {count}. At the average so far that is {cost}.",
    ko: "앞으로 30일 동안 {count}회 시작하며 지금까지 평균이면 {cost}입니다.",
  },
  "outlook.monthStarts": {
    en: "Starts in the next 30 days: {count}.",
    ko: "앞으로 30일 동안 {count}회 시작합니다.",
  },

  "edit.bar": { en: "Saving", ko: "저장" },
  "edit.save": { en: "Save", ko: "저장" },
  "edit.discard": { en: "Discard", ko: "되돌리기" },
  "edit.unsaved": { en: "Not saved yet.", ko: "아직 저장하지 않았습니다." },
  "edit.restored": {
    en: "Your unsaved changes were restored.",
    ko: "전에 쓰고 저장하지 않은 내용을 복원했습니다.",
  },
  "edit.wrong": { en: "Fix these fields first: {fields}", ko: "먼저 고쳐야 할 항목: {fields}" },

  "conflict.title": {
    en: "Someone saved revision {number} in the meantime",
    ko: "그 사이 {number}번 수정본이 저장되었습니다",
  },
  "conflict.both": {
    en: "Fields that you both changed: {count}. Nothing of yours is lost.",
    ko: "같은 항목 {count}개를 함께 수정했습니다. 내가 쓴 내용은 그대로 있습니다.",
  },
  "conflict.apart": {
    en: "You changed different fields: both edits fit together.",
    ko: "서로 다른 항목을 수정해 함께 적용할 수 있습니다.",
  },
  "conflict.aside": { en: "Your changes were set aside", ko: "내가 쓴 내용을 따로 보관했습니다" },
  "conflict.back": { en: "Bring it back", ko: "되돌려 놓기" },
  "conflict.forget": { en: "Not needed", ko: "필요 없음" },
  "conflict.keep": { en: "Keep mine", ko: "내 것 유지" },
  "conflict.take": { en: "Take theirs", ko: "상대 것 사용" },
  "conflict.see": { en: "See both", ko: "둘 다 보기" },
  "conflict.apply": { en: "Continue with this choice", ko: "선택한 대로 계속" },
  "conflict.theirs": { en: "What they changed", ko: "상대가 바꾼 내용" },
  "conflict.mineShort": { en: "Mine", ko: "내 것" },
  "conflict.theirsShort": { en: "Theirs", ko: "상대 것" },

  "yaml.detail": {
    en: "The same spec that kubectl get -o yaml shows. You can apply it to any cluster as is.",
    ko: "kubectl get -o yaml의 spec과 같으며 어느 클러스터에든 그대로 적용할 수 있습니다.",
  },
  "yaml.text": { en: "YAML of this agent", ko: "이 에이전트의 YAML" },
  "yaml.download": { en: "Download", ko: "내려받기" },
  "yaml.edit": { en: "Edit as YAML", ko: "YAML로 편집" },
  "yaml.conflict": {
    en: "Below is what they saved. Keep yours to save it over theirs, or continue from theirs.",
    ko: "아래는 상대가 저장한 내용입니다. 내 것을 유지해 덮어쓰거나 상대 것에서 이어 가세요.",
  },

  "history.revision": { en: "Revision {number}", ko: "수정본 {number}" },
  "history.applied": { en: "Active", ko: "적용됨" },
  "history.newest": { en: "Newest", ko: "최신" },
  "history.changes": { en: "What changed", ko: "바뀐 내용" },
  "history.restore": { en: "Restore", ko: "복원" },
  "history.created": { en: "Created", ko: "생성" },
  "history.sample": { en: "Created from an example", ko: "예시로 생성" },
  "history.edited": { en: "Edited", ko: "수정" },
  "history.chat": { en: "Edited in chat", ko: "대화로 수정" },
  "history.restored": { en: "Restored from revision {number}", ko: "{number}번 수정본에서 복원" },
  "history.copied": { en: "Copied from {name}", ko: "{name}에서 복제" },

  "activate.open": { en: "Activate", ko: "활성화" },
  "activate.title": { en: "Activate {name}?", ko: "{name} 에이전트를 활성화할까요?" },
  "activate.yes": { en: "Activate it", ko: "활성화하기" },
  "activate.changes": { en: "What changes", ko: "바뀌는 내용" },
  "activate.first": { en: "What will be applied", ko: "적용될 내용" },
  "activate.drift": {
    en: "Changed in the cluster since: {fields}. Activation resets these to this agent's values; the rest stays.",
    ko: "그 뒤 클러스터에서 바뀐 항목: {fields}. 활성화하면 이 에이전트에 적힌 값으로 되돌리고 나머지는 그대로 둡니다.",
  },

  "leave.title": { en: "Leave without saving?", ko: "저장하지 않고 나갈까요?" },
  "leave.detail": {
    en: "Your changes stay in this tab until you come back.",
    ko: "작성한 내용은 이 탭에 남아 있어 돌아오면 다시 볼 수 있습니다.",
  },
  "leave.stay": { en: "Stay", ko: "머무르기" },
  "leave.go": { en: "Leave", ko: "나가기" },
} as const satisfies Record<string, Record<"en" | "ko", string>>;
