/** A value that follows another one when it has been still for a while: for what is not worth asking for at every change. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { pageClock } from './page-clock.ts';

/** The first change is followed at once, later ones at most every `everyMs`. */
export function useSettled<T>(value: T, everyMs: number): T {
  const [settled, setSettled] = useState(value);
  const latest = useRef(value);
  latest.current = value;
  const callOff = useRef<(() => void) | undefined>(undefined);
  useEffect(() => () => callOff.current?.(), []);
  useEffect(() => {
    if (value === settled || callOff.current) return;
    setSettled(value);
    callOff.current = pageClock.after(everyMs, () => {
      callOff.current = undefined;
      setSettled(latest.current);
    });
  }, [value, settled, everyMs]);
  return settled;
}
