/** What every panel of the page is given. Owns the shape. */
import type { FrameView, LogView, StreamView } from '../../src/inspect/api.ts';

/** The server. Paths are those of src/inspect/api.ts, without `/api`. */
export interface Api {
  /** @throws ApiFailure with the server's message and status */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  /** With the token in it: for links and EventSource. */
  url(path: string): string;
}

export interface PanelProps {
  readonly api: Api;
  readonly log: LogView;
  readonly stream: StreamView;
  /** The frame that is shown; undefined while it is on its way, and where it cannot be had. */
  readonly view: FrameView | undefined;
  /** Whether it cannot be had; the page says why. */
  readonly isFailed: boolean;
  /** Address of the actor in the tree that is looked at: `/` for the root. It stands in the permalink. */
  readonly actor: string;
  readonly chooseActor: (address: string) => void;
  /** Shows a frame: changes the permalink. */
  readonly goTo: (stream: string, revision?: number) => void;
}
