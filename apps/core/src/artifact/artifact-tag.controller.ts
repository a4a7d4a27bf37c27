import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { NewTag, Tag, TagListQuery, type Page } from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { ArtifactTagService } from './artifact-tag.service.js';
import { RepositoryParam } from './artifact.controller.js';
import { pathBelow, type RepositoryPath } from './repository-path.js';

@Controller('api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference/tags')
export class ArtifactTagController {
  constructor(private readonly tags: ArtifactTagService) {}

  @Get()
  @Operation({ id: 'listTags', tag: 'artifact', summary: 'List the tags of an artifact', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('tag', 'list'))
  @RespondsPageOf(Tag)
  list(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @Query({ schema: TagListQuery }) query: TagListQuery): Promise<Page<Tag>> {
    return this.tags.list(repository, reference, query);
  }

  @Post()
  @Operation({
    id: 'createTag', tag: 'artifact', summary: 'Give an artifact one more tag', refuses: ['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'CONFLICT', 'PRECONDITION'],
    audits: { operation: 'create', resourceType: 'tag' },
  })
  @HttpCode(201)
  @Requires(projectPermission('tag', 'create'))
  @RespondsNothing()
  async create(
    @RepositoryParam() repository: RepositoryPath,
    @Param('reference') reference: string,
    @Body({ schema: NewTag }) { name }: NewTag,
    @CallerParam() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.tags.create(repository, reference, name, caller);
    reply.header('Location', pathBelow(request, name));
  }

  @Delete(':tag_name')
  @Operation({ id: 'deleteTag', tag: 'artifact', summary: 'Delete a tag of an artifact', refuses: ['NOT_FOUND', 'PRECONDITION'], audits: { operation: 'delete', resourceType: 'tag' } })
  @Requires(projectPermission('tag', 'delete'))
  @RespondsNothing()
  delete(
    @RepositoryParam() repository: RepositoryPath,
    @Param('reference') reference: string,
    @Param('tag_name') tag: string,
    @CallerParam() caller: Caller,
  ): Promise<void> {
    return this.tags.delete(repository, reference, tag, caller);
  }
}
