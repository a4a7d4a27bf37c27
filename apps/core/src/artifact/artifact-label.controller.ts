import { Body, Controller, Delete, HttpCode, Param, Post } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, LabelRef } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsNothing } from '../http/response.interceptor.js';
import { ArtifactLabelService } from './artifact-label.service.js';
import { RepositoryParam } from './artifact.controller.js';
import type { RepositoryPath } from './repository-path.js';

@Controller('api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference/labels')
export class ArtifactLabelController {
  constructor(private readonly labels: ArtifactLabelService) {}

  @Post()
  @Operation({
    id: 'addLabel', tag: 'artifact', summary: 'Put a label on an artifact', refuses: ['NOT_FOUND', 'CONFLICT'],
    audits: { operation: 'create', resourceType: 'artifact_label' },
  })
  @HttpCode(200)
  @Requires(projectPermission('artifact-label', 'create'))
  @RespondsNothing()
  add(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @Body({ schema: LabelRef }) { id }: LabelRef, @CallerParam() caller: Caller): Promise<void> {
    return this.labels.add(repository, reference, id, caller);
  }

  @Delete(':label_id')
  @Operation({
    id: 'removeLabel', tag: 'artifact', summary: 'Take a label off an artifact', refuses: ['NOT_FOUND', 'CONFLICT'],
    audits: { operation: 'delete', resourceType: 'artifact_label' },
  })
  @Requires(projectPermission('artifact-label', 'delete'))
  @RespondsNothing()
  remove(
    @RepositoryParam() repository: RepositoryPath,
    @Param('reference') reference: string,
    @Param('label_id', { schema: Id }) label: number,
    @CallerParam() caller: Caller,
  ): Promise<void> {
    return this.labels.remove(repository, reference, label, caller);
  }
}
