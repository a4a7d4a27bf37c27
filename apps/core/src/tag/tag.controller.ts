import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { RepositoryTag, RepositoryTagListQuery, TagAt, TagAtQuery, TagEvent, TagEventListQuery, TagRollback, type Page } from '@haven/api';
import { RepositoryParam } from '../artifact/artifact.controller.js';
import type { RepositoryPath } from '../artifact/repository-path.js';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { TagService } from './tag.service.js';

/** Haven's own operations: the tags of a repository and their past. */
@Controller('api/v2.0/projects/:project_name/repositories/:repository_name')
export class TagController {
  constructor(private readonly tags: TagService) {}

  @Get('tags')
  @Operation({ id: 'listRepositoryTags', tag: 'artifact', summary: 'List the tags of a repository; sort by name, version, push_time, pull_time or size', refuses: ['NOT_FOUND'], extension: true })
  @Requires(projectPermission('tag', 'list'))
  @RespondsPageOf(RepositoryTag)
  list(@RepositoryParam() repository: RepositoryPath, @Query({ schema: RepositoryTagListQuery }) query: RepositoryTagListQuery, @CallerParam() caller: Caller): Promise<Page<RepositoryTag>> {
    return this.tags.list(repository, query, caller);
  }

  @Get('history')
  @Operation({ id: 'listRepositoryHistory', tag: 'artifact', summary: 'What happened to the tags of a repository, newest first', refuses: ['NOT_FOUND'], extension: true })
  @Requires(projectPermission('tag', 'list'))
  @RespondsPageOf(TagEvent)
  repositoryHistory(@RepositoryParam() repository: RepositoryPath, @Query({ schema: TagEventListQuery }) query: TagEventListQuery, @CallerParam() caller: Caller): Promise<Page<TagEvent>> {
    return this.tags.repositoryHistory(repository, query, caller);
  }

  @Get('tags/:tag_name/history')
  @Operation({ id: 'listTagHistory', tag: 'artifact', summary: 'What happened to a tag, newest first', refuses: ['NOT_FOUND'], extension: true })
  @Requires(projectPermission('tag', 'list'))
  @RespondsPageOf(TagEvent)
  history(
    @RepositoryParam() repository: RepositoryPath,
    @Param('tag_name') tag: string,
    @Query({ schema: TagEventListQuery }) query: TagEventListQuery,
    @CallerParam() caller: Caller,
  ): Promise<Page<TagEvent>> {
    return this.tags.history(repository, tag, query, caller);
  }

  @Get('tags/:tag_name/at')
  @Operation({ id: 'getTagAt', tag: 'artifact', summary: 'What a tag named at a moment', refuses: ['NOT_FOUND'], extension: true })
  @Requires(projectPermission('tag', 'list'))
  @Responds(TagAt)
  at(@RepositoryParam() repository: RepositoryPath, @Param('tag_name') tag: string, @Query({ schema: TagAtQuery }) query: TagAtQuery): Promise<TagAt> {
    return this.tags.at(repository, tag, query.time);
  }

  @Post('tags/:tag_name/rollback')
  @Operation({
    id: 'rollBackTag', tag: 'artifact', summary: 'Let a tag name again what it named before; needs the right to delete tags, too',
    refuses: ['NOT_FOUND', 'CONFLICT', 'PRECONDITION', 'DENIED'], extension: true, audits: { operation: 'update', resourceType: 'tag' },
  })
  @HttpCode(200)
  @Requires(projectPermission('tag', 'create'))
  @RespondsNothing()
  rollBack(@RepositoryParam() repository: RepositoryPath, @Param('tag_name') tag: string, @Body({ schema: TagRollback }) { digest }: TagRollback, @CallerParam() caller: Caller): Promise<void> {
    return this.tags.rollBack(repository, tag, digest, caller);
  }
}
