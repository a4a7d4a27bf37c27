import { Controller, Get, Param } from '@nestjs/common';
import { RepositoryParam } from '../artifact/artifact.controller.js';
import type { RepositoryPath } from '../artifact/repository-path.js';
import { Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { JSON_TEXT, MARKDOWN, PLAIN_TEXT, RespondsText, type TextAnswer } from '../http/response.interceptor.js';
import { AdditionService } from './addition.service.js';

@Controller('api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference/additions')
export class AdditionController {
  constructor(private readonly additions: AdditionService) {}

  @Get('vulnerabilities')
  @Operation({ id: 'getVulnerabilitiesAddition', tag: 'artifact', summary: 'What scans of an artifact found', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('artifact-addition', 'read'))
  @RespondsText(JSON_TEXT)
  vulnerabilities(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string): Promise<TextAnswer> {
    return this.additions.vulnerabilities(repository, reference);
  }

  @Get(':addition')
  @Operation({
    id: 'getAddition', tag: 'artifact', summary: 'What an artifact brings along, such as its build history or its readme',
    refuses: ['NOT_FOUND', 'REQUEST_ENTITY_TOO_LARGE', 'TOO_MANY_REQUEST'],
  })
  @Requires(projectPermission('artifact-addition', 'read'))
  @RespondsText(JSON_TEXT, PLAIN_TEXT, MARKDOWN)
  read(@RepositoryParam() repository: RepositoryPath, @Param('reference') reference: string, @Param('addition') addition: string): Promise<TextAnswer> {
    return this.additions.read(repository, reference, addition);
  }
}
