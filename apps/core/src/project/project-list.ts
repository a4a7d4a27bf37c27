import type { QueryTerm, SortTerm } from '@haven/api';

/** Which projects to list. */
export interface ProjectList {
  /** The caller's user id; 0 for nobody. */
  readonly userId: number;
  /** Whether private projects of others are shown too. */
  readonly everything: boolean;
  readonly public: boolean | undefined;
  /** Part of the name. */
  readonly name: string | undefined;
  readonly owner: string | undefined;
  readonly terms: readonly QueryTerm[];
  readonly sort: readonly SortTerm[];
  readonly page: number;
  readonly size: number;
}
