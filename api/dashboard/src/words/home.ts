/** Texts of the home page and its examples. */
export const HOME = {
  "home.welcome": { en: "Put an agent to work", ko: "에이전트에게 일을 맡겨 보세요" },
  "home.welcomeDetail": {
    en: "Describe what you need. The assistant drafts an agent and tests it with you; it only starts working once you activate it.",
    ko: "필요한 일을 말해 주세요. 도우미가 에이전트를 만들어 함께 시험하고, 직접 활성화해야 일을 시작합니다.",
  },
  "home.title": { en: "Home", ko: "홈" },
  "home.attention": {
    en: "Failed, paused or missed since your last visit",
    ko: "지난 방문 이후 실패, 일시 정지, 누락",
  },
  "home.failed": { en: "Failed runs", ko: "실패한 실행" },
  "home.schedules": { en: "Schedules", ko: "일정" },
  "home.news.paused": { en: "Paused", ko: "일시 정지" },
  "home.news.missed": { en: "Missed", ko: "누락" },
  "home.missedOne": { en: "The run at {time} was missed", ko: "{time} 실행이 누락됨" },
  "home.missedMany": {
    en: "{count} runs missed since {time}",
    ko: "{time}부터 실행 {count}회 누락",
  },
  "home.seen": { en: "Mark all as seen", ko: "모두 확인함" },
  "home.live": { en: "Running now", ko: "지금 실행 중" },
  "home.recent": { en: "Recent runs", ko: "최근 실행" },
  "home.allRuns": { en: "All runs", ko: "모든 실행" },
  "home.agents": { en: "Your agents", ko: "내 에이전트" },
  "home.allAgents": { en: "All agents", ko: "모든 에이전트" },

  "sample.run": { en: "Run it", ko: "실행하기" },
  "sample.starting": { en: "Starting", ko: "시작하는 중" },
  "sample.hello": { en: "Say hello", ko: "인사하기" },
  "sample.helloDetail": {
    en: "The shortest possible run: the agent writes a file, and Heliostat checks that it is there.",
    ko: "가장 짧은 실행입니다. 에이전트가 파일 하나를 쓰고, Heliostat이 파일이 있는지 확인합니다.",
  },
  "sample.sales": { en: "Turn sales into a report", ko: "매출 데이터로 보고서 만들기" },
  "sample.salesDetail": {
    en: "From a CSV to a report and a chart. Every figure is recomputed before the run counts as done.",
    ko: "CSV에서 보고서와 차트를 만듭니다. 모든 숫자를 다시 계산해 맞아야 완료로 인정합니다.",
  },
  "sample.hurried": { en: "Catch a wrong answer", ko: "틀린 답 잡아내기" },
  "sample.hurriedDetail": {
    en: "An agent cuts corners and claims to be done. Watch the check reject its work.",
    ko: "에이전트가 대충 하고 끝났다고 말합니다. 검증이 이를 어떻게 걸러 내는지 보세요.",
  },
} as const satisfies Record<string, Record<"en" | "ko", string>>;
