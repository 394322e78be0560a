import { createContext, useContext, useState } from "react";

/** Which steps a person has opened: a step that leaves the window is not drawn, and comes back as it was. */
export const Opened = createContext<Map<string, boolean> | null>(null);

export function useOpened(key: string): [boolean, (isOpen: boolean) => void] {
  const opened = useContext(Opened);
  const [isOpen, setOpen] = useState(opened?.get(key) ?? false);
  const open = (next: boolean) => {
    opened?.set(key, next);
    setOpen(next);
  };
  return [isOpen, open];
}
