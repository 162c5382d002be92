/** What every part of the shell works with. Owns the shape. */
import type { LogView } from '../../../src/inspect/api.ts';
import type { PageApi } from './api.ts';
import type { Navigation } from './navigation.ts';

export interface PageContext {
  readonly api: PageApi;
  readonly navigation: Navigation;
  /** Undefined while it is on its way. */
  readonly log: LogView | undefined;
}
