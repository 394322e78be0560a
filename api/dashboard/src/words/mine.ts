/** Settings: what belongs to a person, and what they owe. */
export const MINE = {
  "mine.spending": { en: "Spending", ko: "사용 금액" },
  "mine.spent": { en: "{spent} spent, no limit", ko: "{spent} 사용, 한도 없음" },
  "mine.spentOf": { en: "{spent} of {cap} spent", ko: "{cap} 중 {spent} 사용" },
  "mine.until": { en: "Resets {time}.", ko: "{time}에 새로 집계합니다." },
  "mine.toUsage": { en: "See usage", ko: "사용량 보기" },
  "mine.access": { en: "Keys and secrets", ko: "키와 시크릿" },
  "mine.expires": {
    en: "You are a guest: unless you come back, your agents stop {time}.",
    ko: "게스트로 사용 중입니다. 다시 방문하지 않으면 {time}에 에이전트가 중지됩니다.",
  },
  "mine.data": { en: "Your data", ko: "내 데이터" },
  "mine.archive": { en: "Download all my data", ko: "내 데이터 모두 내려받기" },
  "mine.archiveDetail": {
    en: "A zip of your agents, runs, files and conversations.",
    ko: "에이전트, 실행, 파일, 대화를 담은 zip 파일입니다.",
  },
  "mine.delete": { en: "Delete all my data", ko: "내 데이터 모두 삭제" },
  "mine.deleteDetail": {
    en: "Runs are stopped; agents, records, files, conversations, keys and secrets are deleted. What was spent stays on record, without your name. This cannot be undone.",
    ko: "실행이 중지되고 에이전트, 기록, 파일, 대화, 키, 시크릿이 삭제됩니다. 사용 금액은 이름 없이 기록에 남습니다. 되돌릴 수 없습니다.",
  },
  "mine.deleteType": { en: "Type {word} to confirm", ko: "확인을 위해 {word}를 입력하세요" },
  "mine.deleteWord": { en: "delete all", ko: "모두 삭제" },
  "mine.deleteYes": { en: "Delete everything", ko: "모두 삭제하기" },
  "mine.deleted": {
    en: "All your data is being deleted",
    ko: "내 데이터를 모두 삭제하고 있습니다",
  },
  "mine.deletedDetail": {
    en: "Runs are being stopped first. You may close this page.",
    ko: "먼저 실행을 중지합니다. 이 페이지를 닫아도 됩니다.",
  },
} as const;
