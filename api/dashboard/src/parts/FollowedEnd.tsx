import { Button } from "@mantine/core";
import type { Ref } from "react";
import classes from "./FollowedEnd.module.css";

/** The mark behind what grows, and the way back to it for whoever has scrolled up: see useFollow. */
export function FollowedEnd({
  end,
  isLeft,
  label,
  jump,
}: {
  end: Ref<HTMLDivElement>;
  /** Whether more comes at an end that is out of sight. */
  isLeft: boolean;
  label: string;
  jump: () => void;
}) {
  return (
    <>
      <div ref={end} className={classes.end} />
      {isLeft && (
        <Button className={classes.jump} size="xs" radius="xl" onClick={jump}>
          {label}
        </Button>
      )}
    </>
  );
}
