import type { QueryTerm, SortTerm } from '@haven/api';
import type { VisibleProjects } from '../authorization/role-sql.js';

/** Which projects to list. */
export interface ProjectList {
  /** The caller's user id; 0 for nobody. */
  readonly userId: number;
  /** Which private projects are shown. */
  readonly visible: VisibleProjects;
  readonly public: boolean | undefined;
  /** Part of the name. */
  readonly name: string | undefined;
  readonly owner: string | undefined;
  readonly terms: readonly QueryTerm[];
  readonly sort: readonly SortTerm[];
  readonly page: number;
  readonly size: number;
}
