import { money, plainMoney, shortInstant } from "../words/formats";
import { useWords } from "../words/words";
import type { Unit } from "./columns";

/** Figures and places of a chart in the person's language and zone. */
export function useFigures() {
  const { language, zone, amount, duration, shortDuration } = useWords();
  const written = (value: number, unit: Unit, micros: (value: number) => string) => {
    if (unit === "micros") return micros(value);
    if (unit === "seconds")
      return value > 0 && value < 10 ? shortDuration(value * 1000) : duration(value);
    return amount(value);
  };
  return {
    zone,
    language,
    place: (at: string | number) =>
      typeof at === "number" ? shortInstant(at * 1000, language, zone) : at,
    figure: (value: number | null, unit: Unit) =>
      value === null ? "–" : written(value, unit, (micros) => money(micros)),
    /** Beside an axis there is no room for whose money it is: each bar says it. */
    tick: (value: number, unit: Unit) => written(value, unit, plainMoney),
  };
}
