/** Texts that every page has: its frame, the status bar, errors, what is not there. */
export const APP = {
  "app.skip": { en: "Skip to content", ko: "본문으로 건너뛰기" },
  "app.navigation": { en: "Main", ko: "주 메뉴" },
  "app.loading": { en: "Loading", ko: "불러오는 중" },
  "app.retry": { en: "Try again", ko: "다시 시도" },
  "app.reload": { en: "Reload the page", ko: "페이지 새로 고침" },
  "app.more": { en: "Show more", ko: "더 보기" },
  "app.copy": { en: "Copy", ko: "복사" },
  "app.cancel": { en: "Cancel", ko: "취소" },
  "app.close": { en: "Close", ko: "닫기" },
  "app.copied": { en: "Copied", ko: "복사됨" },

  "nav.home": { en: "Home", ko: "홈" },
  "nav.executions": { en: "Runs", ko: "실행" },
  "nav.agents": { en: "Agents", ko: "에이전트" },
  "nav.usage": { en: "Usage", ko: "사용량" },
  "nav.settings": { en: "Settings", ko: "설정" },

  "status.title": { en: "What is going on", ko: "현재 상태" },
  "status.connecting": { en: "Connecting", ko: "연결하는 중" },
  "status.connected": { en: "Live", ko: "실시간 연결됨" },
  "status.broken": {
    en: "Connection lost {ago}, reconnecting",
    ko: "{ago} 연결이 끊겨 다시 연결하는 중",
  },
  "status.over": { en: "Your session has ended", ko: "세션이 끝났습니다" },
  "status.retryNow": { en: "Retry now", ko: "지금 다시 연결" },
  "app.systemWords": { en: "What the system said", ko: "시스템이 남긴 말" },
  "status.waiting": { en: "{count} waiting", ko: "{count}개 대기 중" },
  "status.script": { en: "Scripted answers", ko: "스크립트가 답합니다" },
  "status.live": { en: "{count} running", ko: "{count}개 실행 중" },
  "status.idle": { en: "Nothing is running", ko: "실행 중인 작업 없음" },
  "status.quiet": { en: "Waiting for updates", ko: "새 소식을 기다리는 중" },
  "status.heardRun": { en: "{agent}: {phase}", ko: "{agent}: {phase}" },
  "status.heardOutput": { en: "{agent} is working", ko: "{agent} 작업 중" },
  "status.heardAgent": { en: "{agent} was updated", ko: "{agent} 업데이트됨" },
  "status.heardDeleted": { en: "{name} was deleted", ko: "{name} 삭제됨" },

  "error.title": { en: "This could not be loaded", ko: "불러오지 못했습니다" },
  "error.away": {
    en: "The server is not responding. This page will continue once it is back.",
    ko: "서버가 응답하지 않습니다. 다시 연결되면 자동으로 이어집니다.",
  },
  "error.session": {
    en: "Your session has ended. Reload the page to begin a new one.",
    ko: "세션이 끝났습니다. 페이지를 새로 고치면 새 세션이 시작됩니다.",
  },
  "error.status": {
    en: "The server responded with status {status}.",
    ko: "서버가 {status} 오류로 응답했습니다.",
  },
  "error.crash": { en: "Something went wrong on this page", ko: "이 페이지에 문제가 생겼습니다" },
  "error.crashDetail": {
    en: "Your runs are not affected. Reload the page. If it happens again, report this text:",
    ko: "실행 중인 작업에는 영향이 없습니다. 페이지를 새로 고치고, 반복되면 아래 내용을 알려 주세요:",
  },
  "error.command": { en: "That did not work", ko: "요청을 처리하지 못했습니다" },

  "missing.title": { en: "There is nothing here", ko: "여기에는 아무것도 없습니다" },
  "missing.page": {
    en: "Heliostat has no page at this address.",
    ko: "Heliostat에 없는 주소입니다.",
  },
  "missing.run": {
    en: "There is no such run, or it belongs to somebody else.",
    ko: "해당 실행이 없거나 다른 사람의 실행입니다.",
  },
  "missing.agent": {
    en: "There is no such agent, or it belongs to somebody else.",
    ko: "해당 에이전트가 없거나 다른 사람의 에이전트입니다.",
  },
  "missing.home": { en: "Go to the home page", ko: "홈으로 가기" },
} as const satisfies Record<string, Record<"en" | "ko", string>>;
