import { Controller, createParamDecorator, Delete, Get, HttpCode, Param, Post, Query, Req, Res, type ExecutionContext } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Accessory, Artifact, ArtifactCopyQuery, ArtifactListQuery, ArtifactQuery, ListQuery, type Page } from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { repositoryNameIn } from '../repository/repository-name.js';
import { ArtifactCopyService } from './artifact-copy.service.js';
import { ArtifactService } from './artifact.service.js';
import { pathBelow, type RepositoryPath } from './repository-path.js';

const ONE = ':reference';

/** The repository in the path. The guard has found its project by then. */
export const RepositoryParam = createParamDecorator((_data: unknown, context: ExecutionContext): RepositoryPath => {
  const { project, params } = context.switchToHttp().getRequest<FastifyRequest>();
  if (project === undefined) throw new Error('this route does not require a project permission');
  return { project, name: repositoryNameIn(project, (params as { repository_name: string }).repository_name) };
});

@Controller('api/v2.0/projects/:project_name/repositories/:repository_name/artifacts')
export class ArtifactController {
  constructor(
    private readonly artifacts: ArtifactService,
    private readonly copies: ArtifactCopyService,
  ) {}

  @Get()
  @Operation({ id: 'listArtifacts', tag: 'artifact', summary: 'List the artifacts of a repository', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('artifact', 'list'))
  @RespondsPageOf(Artifact)
  list(@RepositoryParam() repository: RepositoryPath, @Query({ schema: ArtifactListQuery }) query: ArtifactListQuery): Promise<Page<Artifact>> {
    return this.artifacts.list(repository, query);
  }

  @Post()
  @Operation({
    id: 'CopyArtifact', tag: 'artifact', summary: 'Copy an artifact from another repository, with what belongs to it',
    refuses: ['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'PRECONDITION', 'DENIED'], audits: { operation: 'create', resourceType: 'artifact' },
  })
  @HttpCode(201)
  @Requires(projectPermission('artifact', 'create'))
  @RespondsNothing()
  async copy(
    @RepositoryParam() repository: RepositoryPath,
    @Query({ schema: ArtifactCopyQuery }) query: ArtifactCopyQuery,
    @CallerParam() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    reply.header('Location', pathBelow(request, await this.copies.copy(repository, query.from, caller)));
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

  @Get(`${ONE}/accessories`)
  @Operation({ id: 'listAccessories', tag: 'artifact', summary: 'List what is attached to an artifact', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('accessory', 'list'))
  @RespondsPageOf(Accessory)
  listAccessories(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<Accessory>> {
    return this.artifacts.listAccessories(repository, reference, query);
  }
}
