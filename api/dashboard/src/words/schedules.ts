/** When an agent starts by itself, and what became of each time. */
export const SCHEDULES = {
  "schedule.none": { en: "Manually", ko: "직접 실행" },
  "schedule.regular": { en: "On a schedule", ko: "정기적으로" },
  "schedule.noneHint": {
    en: "It runs only when you, the command line or another system starts it.",
    ko: "사용자나 명령줄, 다른 시스템이 시작할 때만 실행합니다.",
  },
  "schedule.cronHint": {
    en: "Minute, hour, day, month, weekday: 0 8 * * 1-5 is 08:00 from Monday to Friday.",
    ko: "분, 시, 일, 월, 요일 순서입니다. 0 8 * * 1-5는 월~금 08:00입니다.",
  },
  "schedule.monthDayHint": {
    en: "1 to 31. Shorter months use their last day.",
    ko: "1~31. 짧은 달은 마지막 날에 실행합니다.",
  },
  "schedule.timeHint": { en: "For example 08:00.", ko: "예: 08:00" },
  "schedule.minuteHint": {
    en: "Only the minutes count: 00:15 is a quarter past every hour.",
    ko: "분만 사용합니다. 00:15는 매시 15분입니다.",
  },
  "schedule.zoneHint": {
    en: "Times are read in this zone, wherever you are.",
    ko: "어디에 있든 이 시간대로 시각을 읽습니다.",
  },
  "schedule.wrong": {
    en: "Fix the errors to see the next times.",
    ko: "잘못된 곳을 고치면 다음 시각을 보여 줍니다.",
  },
  "schedule.away": {
    en: "The next times could not be loaded.",
    ko: "다음 시각을 불러오지 못했습니다.",
  },
  "schedule.noFires": { en: "It has no upcoming times.", ko: "앞으로 실행할 시각이 없습니다." },
  "schedule.next": { en: "Next times", ko: "다음 실행 시각" },
  "schedule.offHint": {
    en: "Scheduled times are skipped. You can still start it yourself.",
    ko: "일정만 건너뛰며 직접 실행할 수는 있습니다.",
  },
  "schedule.jitterHint": {
    en: "Keeps many agents from starting at once.",
    ko: "여러 에이전트가 한꺼번에 시작하지 않게 합니다.",
  },
  "schedule.deadlineHint": {
    en: "A run that cannot start within this time is not caught up.",
    ko: "이 시간 동안 시작하지 못하면 건너뜁니다.",
  },
  "schedule.pauseHint": {
    en: "Until it is edited or a run you start succeeds. Never if left empty.",
    ko: "수정하거나 직접 시작한 실행이 성공할 때까지 멈춥니다. 비워 두면 멈추지 않습니다.",
  },

  "frequency.hourly": { en: "Every hour", ko: "매시간" },
  "frequency.daily": { en: "Every day", ko: "매일" },
  "frequency.weekly": { en: "Every week", ko: "매주" },
  "frequency.monthly": { en: "Every month", ko: "매월" },

  "weekday.Monday": { en: "Monday", ko: "월요일" },
  "weekday.Tuesday": { en: "Tuesday", ko: "화요일" },
  "weekday.Wednesday": { en: "Wednesday", ko: "수요일" },
  "weekday.Thursday": { en: "Thursday", ko: "목요일" },
  "weekday.Friday": { en: "Friday", ko: "금요일" },
  "weekday.Saturday": { en: "Saturday", ko: "토요일" },
  "weekday.Sunday": { en: "Sunday", ko: "일요일" },

  "overlap.Skip": { en: "Skip the new run", ko: "새 실행 건너뛰기" },
  "overlap.QueueOne": { en: "Queue one run", ko: "하나만 대기" },
  "overlap.Replace": { en: "Stop the old run", ko: "이전 실행 중지" },
  "overlap.Allow": { en: "Run both", ko: "둘 다 실행" },

  "catchUp.None": { en: "Skip them", ko: "건너뛰기" },
  "catchUp.Latest": { en: "Run the last one late", ko: "마지막 것만 늦게 실행" },
  "catchUp.All": { en: "Run all of them late", ko: "모두 늦게 실행" },

  "daylight.Once": { en: "Each time of day once", ko: "같은 시각은 한 번만" },
  "daylight.Wall": { en: "Follow the wall clock", ko: "현지 시각 그대로" },
  "daylight.UTC": { en: "Ignore: read times in UTC", ko: "UTC로 읽기" },

  "fire.AfterGap": {
    en: "The clocks skip this time; it comes right after.",
    ko: "시계가 건너뛰는 시각이라 바로 뒤에 실행합니다.",
  },
  "fire.FirstOfTwo": {
    en: "The clocks repeat this hour; this is the first.",
    ko: "시계가 반복되는 시간의 첫 번째입니다.",
  },
  "fire.SecondOfTwo": {
    en: "The clocks repeat this hour; this is the second.",
    ko: "시계가 반복되는 시간의 두 번째입니다.",
  },
  "fire.Blackout": {
    en: "In a blackout: it does not run.",
    ko: "실행 금지 시간이라 실행하지 않습니다.",
  },

  "outcome.Ran": { en: "Started", ko: "시작함" },
  "outcome.Late": { en: "Started late", ko: "늦게 시작함" },
  "outcome.Skipped": { en: "Skipped", ko: "건너뜀" },
  "outcome.Missed": { en: "Missed", ko: "누락" },

  "blackouts.hint": {
    en: "No scheduled run starts then. Times are in {zone}.",
    ko: "이 시간에는 일정에 따른 실행을 시작하지 않습니다. 시각은 {zone} 기준입니다.",
  },
  "blackouts.addOnce": { en: "Add a one-time blackout", ko: "한 번만 추가" },
  "blackouts.addRecurring": { en: "Add a recurring blackout", ko: "반복 추가" },
  "blackouts.at.startTime": { en: "Start", ko: "시작" },
  "blackouts.at.endTime": { en: "End", ko: "끝" },
  "blackouts.cron": { en: "Start, as cron", ko: "시작(Cron 식)" },
  "blackouts.duration": { en: "Length", ko: "길이" },
  "blackouts.reason": { en: "Why", ko: "이유" },
} as const satisfies Record<string, Record<"en" | "ko", string>>;
