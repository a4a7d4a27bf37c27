import { Controller, createParamDecorator, Delete, Get, Param, Query, type ExecutionContext } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Accessory, Artifact, ArtifactListQuery, ArtifactQuery, BuildHistory, ListQuery, Tag, TagListQuery, type Page } from '@haven/api';
import type { FastifyRequest } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { repositoryNameIn } from '../repository/repository-name.js';
import { ArtifactService, type RepositoryPath } from './artifact.service.js';

const ONE = ':reference';

/** The repository in the path. The guard has found its project by then. */
const RepositoryParam = createParamDecorator((_data: unknown, context: ExecutionContext): RepositoryPath => {
  const { project, params } = context.switchToHttp().getRequest<FastifyRequest>();
  if (project === undefined) throw new Error('this route does not require a project permission');
  return { project, name: repositoryNameIn(project, (params as { repository_name: string }).repository_name) };
});

@Controller('api/v2.0/projects/:project_name/repositories/:repository_name/artifacts')
export class ArtifactController {
  constructor(private readonly artifacts: ArtifactService) {}

  @Get()
  @Operation({ id: 'listArtifacts', tag: 'artifact', summary: 'List the artifacts of a repository', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('artifact', 'list'))
  @RespondsPageOf(Artifact)
  list(@RepositoryParam() repository: RepositoryPath, @Query({ schema: ArtifactListQuery }) query: ArtifactListQuery): Promise<Page<Artifact>> {
    return this.artifacts.list(repository, query);
  }

  @Get(ONE)
  @Operation({ id: 'getArtifact', tag: 'artifact', summary: 'One artifact, by its digest or a tag', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('artifact', 'read'))
  @Responds(Artifact)
  get(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @Query({ schema: ArtifactQuery }) query: ArtifactQuery): Promise<Artifact> {
    return this.artifacts.get(repository, reference, query);
  }

  @Delete(ONE)
  @Operation({ id: 'deleteArtifact', tag: 'artifact', summary: 'Delete an artifact with its tags', refuses: ['NOT_FOUND', 'PRECONDITION'], audits: { operation: 'delete', resourceType: 'artifact' } })
  @Requires(projectPermission('artifact', 'delete'))
  @RespondsNothing()
  delete(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @CallerParam() caller: Caller): Promise<void> {
    return this.artifacts.delete(repository, reference, caller);
  }

  @Get(`${ONE}/tags`)
  @Operation({ id: 'listTags', tag: 'artifact', summary: 'List the tags of an artifact', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('tag', 'list'))
  @RespondsPageOf(Tag)
  listTags(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @Query({ schema: TagListQuery }) query: TagListQuery): Promise<Page<Tag>> {
    return this.artifacts.listTags(repository, reference, query);
  }

  @Delete(`${ONE}/tags/:tag_name`)
  @Operation({ id: 'deleteTag', tag: 'artifact', summary: 'Delete a tag of an artifact', refuses: ['NOT_FOUND', 'PRECONDITION'], audits: { operation: 'delete', resourceType: 'tag' } })
  @Requires(projectPermission('tag', 'delete'))
  @RespondsNothing()
  deleteTag(
    @RepositoryParam() repository: RepositoryPath,
    @Param('reference') reference: string,
    @Param('tag_name') tag: string,
    @CallerParam() caller: Caller,
  ): Promise<void> {
    return this.artifacts.deleteTag(repository, reference, tag, caller);
  }

  @Get(`${ONE}/additions/:addition`)
  @Operation({ id: 'getAddition', tag: 'artifact', summary: 'What an artifact brings along, such as its build history', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('artifact-addition', 'read'))
  @Responds(BuildHistory)
  addition(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @Param('addition') addition: string): Promise<BuildHistory> {
    return this.artifacts.addition(repository, reference, addition);
  }

  @Get(`${ONE}/accessories`)
  @Operation({ id: 'listAccessories', tag: 'artifact', summary: 'List what is attached to an artifact', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('accessory', 'list'))
  @RespondsPageOf(Accessory)
  listAccessories(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<Accessory>> {
    return this.artifacts.listAccessories(repository, reference, query);
  }
}
