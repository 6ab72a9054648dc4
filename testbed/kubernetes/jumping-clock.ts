import { type Clock, steadyClock } from '../../rollout/clock.ts';

/** A clock that can be put ahead, so that an hour of silence need not be waited for. */
export interface JumpingClock extends Clock {
  jump(milliseconds: number): void;
}

export function jumpingClock(start: number = Date.now()): JumpingClock {
  const steady = steadyClock(start);
  let ahead = 0;
  return {
    now: () => steady.now() + ahead,
    follow: (time) => steady.follow(time),
    sleep: (milliseconds, signal) => steady.sleep(milliseconds, signal),
    jump(milliseconds) {
      ahead += milliseconds;
    },
  };
}
