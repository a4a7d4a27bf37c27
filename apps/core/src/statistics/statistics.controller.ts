import { Controller, Get } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Statistic } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated } from '../authorization/requirement.js';
import { visibleProjects } from '../authorization/role-sql.js';
import { Operation } from '../http/operation.js';
import { Responds } from '../http/response.interceptor.js';
import { StatisticsStore } from './statistics.store.js';

@Controller('api/v2.0/statistics')
export class StatisticsController {
  constructor(private readonly store: StatisticsStore) {}

  @Get()
  @Operation({ id: 'getStatistic', tag: 'statistic', summary: 'How many projects and repositories the caller may see; for system administrators, how much is stored' })
  @Requires(authenticated)
  @Responds(Statistic)
  async get(@CallerParam() caller: Caller): Promise<Statistic> {
    const counts = await this.store.counts(visibleProjects(caller));
    const { subject } = caller;
    return {
      public_project_count: counts.publicProjects,
      public_repo_count: counts.publicRepositories,
      private_project_count: counts.privateProjects,
      private_repo_count: counts.privateRepositories,
      total_project_count: counts.publicProjects + counts.privateProjects,
      total_repo_count: counts.publicRepositories + counts.privateRepositories,
      ...(subject.kind === 'user' && subject.sysadmin ? { total_storage_consumption: await this.store.bytesInStorage() } : {}),
    };
  }
}
