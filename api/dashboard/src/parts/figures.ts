import { plainMoney, shortInstant } from "../words/formats";
import { useWords } from "../words/words";
import type { Unit } from "./columns";

/** Figures and places of a chart in the person's language and zone. */
export function useFigures() {
  const { language, zone, amount, duration, shortDuration } = useWords();
  return {
    zone,
    language,
    place: (at: string | number) =>
      typeof at === "number" ? shortInstant(at * 1000, language, zone) : at,
    figure: (value: number | null, unit: Unit) => {
      if (value === null) return "–";
      if (unit === "micros") return plainMoney(value);
      if (unit === "seconds")
        return value > 0 && value < 10 ? shortDuration(value * 1000) : duration(value);
      return amount(value);
    },
  };
}
