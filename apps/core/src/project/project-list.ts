import type { VisibleProjects } from '../authorization/role-sql.js';
import type { ListWanted } from '../listing/select-page.js';

/** Which projects to list. */
export interface ProjectList extends ListWanted {
  /** The caller's user id; 0 for nobody. */
  readonly userId: number;
  /** Which private projects are shown. */
  readonly visible: VisibleProjects;
  readonly public: boolean | undefined;
  /** Part of the name. */
  readonly name: string | undefined;
  readonly owner: string | undefined;
}
