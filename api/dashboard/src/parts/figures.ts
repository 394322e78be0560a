import { money } from "../words/formats";
import { useWords } from "../words/words";
import type { Unit } from "./columns";

/** Figures and places of a chart in the person's language and zone. */
export function useFigures() {
  const { language, zone, amount, duration, shortDuration } = useWords();
  const time = new Intl.DateTimeFormat(language, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  });
  return {
    zone,
    language,
    place: (at: string | number) =>
      typeof at === "number" ? time.format(new Date(at * 1000)) : at,
    figure: (value: number | null, unit: Unit) => {
      if (value === null) return "–";
      if (unit === "micros") return money(value);
      if (unit === "seconds")
        return value > 0 && value < 10 ? shortDuration(value * 1000) : duration(value);
      return amount(value);
    },
  };
}
