/** Icons of 24 x 24, drawn with one stroke. Always beside a text or in a labelled button. */
const PATHS = {
  home: "M4 11l8-7 8 7M6 9.5V20h4.5v-5.5h3V20H18V9.5",
  runs: "M4 6h9M4 12h6M4 18h9M15.5 9.5v8l5.5-4z",
  agents:
    "M7 8h10a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM12 8V4.5M9.5 12.5v1.5M14.5 12.5v1.5M2.5 12.5v3M21.5 12.5v3",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  play: "M8 5.5v13l10.5-6.5z",
  stop: "M7 7h10v10H7z",
  again: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4h-4",
  chevron: "M9 6l6 6-6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  alert: "M12 8v5M12 16.2v.1M12 3.8l9 15.7H3z",
  search: "M10.5 4.5a6 6 0 1 1 0 12 6 6 0 0 1 0-12zM15 15l5 5",
  lock: "M7 11h10v8H7zM9 11V8a3 3 0 0 1 6 0v3",
  terminal: "M5 7l4.5 5L5 17M12 17h7",
  file: "M7 3.5h7l4 4V20.5H7zM14 3.5v4h4",
  globe: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM4 12h16M12 4c-5 5-5 11 0 16M12 4c5 5 5 11 0 16",
  wrench:
    "M14.5 5.5a4 4 0 0 0-4.8 5.2L4 16.5 7.5 20l5.8-5.7a4 4 0 0 0 5.2-4.8l-2.7 2.7-2.6-.9-.8-2.6z",
  thought: "M12 4a6 6 0 0 0-3.5 10.9V17h7v-2.1A6 6 0 0 0 12 4zM9.5 20h5",
  flag: "M6 20.5V4.5h11l-2.5 4 2.5 4H6",
  copy: "M9 9h10v11H9zM5 15V4h10",
  hand: "M8 12V6.5a1.5 1.5 0 0 1 3 0V11m0-5.5a1.5 1.5 0 0 1 3 0V11m0-3.5a1.5 1.5 0 0 1 3 0V14c0 4-2 6.5-5.5 6.5-3 0-4.5-2-6-5.5-.8-2 1-2.8 2.5-1",
  chart: "M5 4v15.5h15M9 16v-4M13 16V8M17 16v-6",
  chat: "M4.5 5.5h15v10.5h-8.5L6.5 20v-4h-2zM8.5 9.5h7M8.5 12.5h4.5",
  send: "M12 19V5.5M6 11.5l6-6 6 6",
  coin: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM14.5 9.5c-.5-.9-1.400-1.300-2.500-1.300-1.500 0-2.500.7-2.500 1.900 0 2.600 5.200 1.200 5.200 3.900 0 1.200-1.100 1.900-2.600 1.900-1.300 0-2.300-.5-2.700-1.400M12 6.500v11",
  more: "M12 5.5v.1M12 12v.1M12 18.5v.1",
  plus: "M12 5v14M5 12h14",
  clock: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 8v4.5l3 2",
  shield: "M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6zM9 12l2.2 2.2L15 10.4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Sun({ size = 26 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32">
      <circle cx="16" cy="16" r="6" fill="#ffae21" />
      <path
        stroke="#ffae21"
        strokeWidth="2.6"
        strokeLinecap="round"
        d="M16 3v3.5M16 25.5V29M3 16h3.5M25.5 16H29M6.8 6.8l2.5 2.5M22.7 22.7l2.5 2.5M6.8 25.2l2.5-2.5M22.7 9.3l2.5-2.5"
      />
    </svg>
  );
}
