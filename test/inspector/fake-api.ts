/** An Api whose answers a test gives by hand, in whatever order. */
import type { PageApi } from '../../inspector/src/shell/api.ts';

export interface Asked {
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  answer(value: unknown): Promise<void>;
  fail(error: Error): Promise<void>;
}

export interface FakeApi extends PageApi {
  /** Those that wait for an answer, oldest first. */
  readonly open: Asked[];
  /** Every path that was asked for. */
  readonly paths: string[];
  /** The oldest that waits for this path. */
  at(path: string): Asked;
}

/** Lets everything that waits for what is settled go on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

export function fakeApi(): FakeApi {
  const open: Asked[] = [];
  const paths: string[] = [];
  return {
    open,
    paths,
    at(path) {
      const asked = open.find((one) => one.path === path);
      if (!asked) throw new Error(`Nobody asked for ${path}; open: ${open.map((one) => one.path).join(', ')}`);
      return asked;
    },
    get<T>(path: string, signal?: AbortSignal) {
      paths.push(path);
      return new Promise<T>((resolve, reject) => {
        const close = () => void open.splice(open.indexOf(asked), 1);
        const asked: Asked = {
          path,
          signal,
          answer(value) {
            close();
            resolve(value as T);
            return settled();
          },
          fail(error) {
            close();
            reject(error);
            return settled();
          },
        };
        open.push(asked);
        signal?.addEventListener('abort', () => {
          if (!open.includes(asked)) return;
          close();
          reject(signal.reason as Error);
        });
      });
    },
    post: () => Promise.reject(new Error('nothing is posted')),
    url: (path) => path,
  };
}
