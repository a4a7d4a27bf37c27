import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { ListQuery, Repository, RepositoryReq, type Page } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { anyone, projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { repositoryNameIn } from './repository-name.js';
import { RepositoryService } from './repository.service.js';

const OF_PROJECT = 'projects/:project_name/repositories';
const ONE = `${OF_PROJECT}/:repository_name`;

@Controller('api/v2.0')
export class RepositoryController {
  constructor(private readonly repositories: RepositoryService) {}

  @Get('repositories')
  @Operation({ id: 'listAllRepositories', tag: 'repository', summary: 'List the repositories of all projects that the caller may see' })
  @Requires(anyone)
  @RespondsPageOf(Repository)
  listAll(@CallerParam() caller: Caller, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<Repository>> {
    return this.repositories.listAll(caller, query);
  }

  @Get(OF_PROJECT)
  @Operation({ id: 'listRepositories', tag: 'repository', summary: 'List the repositories of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('repository', 'list'))
  @RespondsPageOf(Repository)
  list(@ProjectParam() project: KnownProject, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<Repository>> {
    return this.repositories.list(project, query);
  }

  @Get(ONE)
  @Operation({ id: 'getRepository', tag: 'repository', summary: 'One repository', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('repository', 'read'))
  @Responds(Repository)
  get(@ProjectParam() project: KnownProject, @Param('repository_name') name: string): Promise<Repository> {
    return this.repositories.get(repositoryNameIn(project, name));
  }

  @Put(ONE)
  @Operation({ id: 'updateRepository', tag: 'repository', summary: 'Change the description of a repository', refuses: ['NOT_FOUND'], audits: { operation: 'update', resourceType: 'repository' } })
  @Requires(projectPermission('repository', 'update'))
  @RespondsNothing()
  describe(
    @ProjectParam() project: KnownProject,
    @CallerParam() caller: Caller,
    @Param('repository_name') name: string,
    @Body({ schema: RepositoryReq }) request: RepositoryReq,
  ): Promise<void> {
    return this.repositories.describe(project, repositoryNameIn(project, name), request.description, caller);
  }

  @Delete(ONE)
  @Operation({ id: 'deleteRepository', tag: 'repository', summary: 'Delete a repository with all its artifacts', refuses: ['NOT_FOUND', 'PRECONDITION'], audits: { operation: 'delete', resourceType: 'repository' } })
  @Requires(projectPermission('repository', 'delete'))
  @RespondsNothing()
  delete(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('repository_name') name: string): Promise<void> {
    return this.repositories.delete(repositoryNameIn(project, name), caller);
  }
}
