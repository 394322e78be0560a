/** Texts about a guest who was away for long. */
export const EXPIRY = {
  "expiry.title": {
    en: "You have been away for a long time",
    ko: "오랫동안 방문하지 않으셨습니다",
  },
  "expiry.detail": {
    en: "You are a guest. Unless you open this page again by {time}, your agents stop, and 30 days later all your data is deleted.",
    ko: "게스트로 이용 중입니다. {time}까지 이 페이지를 다시 열지 않으면 에이전트가 중지되고, 30일 뒤 모든 내용이 삭제됩니다.",
  },
  "expiry.stay": { en: "Keep my data", ko: "계속 보관하기" },
} as const;
