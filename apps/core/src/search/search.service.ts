import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import type { Search } from '@haven/api';
import { userIdOf, visibleProjects } from '../authorization/role-sql.js';
import { ProjectService } from '../project/project.service.js';
import { ProjectStore } from '../project/project.store.js';
import { SearchStore } from './search.store.js';

/** Of each kind, at most; who looks for more lists them page by page. */
const MOST = 100;

/** Finds projects and repositories by a part of their name, among those that the caller may see. */
@Injectable()
export class SearchService {
  constructor(
    private readonly store: SearchStore,
    private readonly projectStore: ProjectStore,
    private readonly projects: ProjectService,
  ) {}

  async search(caller: Caller, text: string): Promise<Search> {
    const visible = visibleProjects(caller);
    const [repository, found] = await Promise.all([
      this.store.repositories(text, visible, MOST),
      this.projectStore.named(text, { visible, userId: userIdOf(caller), most: MOST }),
    ]);
    return { project: await this.projects.withDetails(found), repository };
  }
}
