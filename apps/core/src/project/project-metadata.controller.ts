import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Metadata, MetadataReq } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing } from '../http/response.interceptor.js';
import { ProjectMetadataService } from './project-metadata.service.js';

const ONE = ':meta_name';
const audits = { operation: 'update', resourceType: 'project' };

/** The settings of a project one by one. */
@Controller('api/v2.0/projects/:project_name_or_id/metadatas')
export class ProjectMetadataController {
  constructor(private readonly metadata: ProjectMetadataService) {}

  @Get()
  @Operation({ id: 'listProjectMetadatas', tag: 'projectMetadata', summary: 'The settings of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('metadata', 'list'))
  @Responds(Metadata)
  list(@ProjectParam() project: KnownProject): Promise<Metadata> {
    return this.metadata.list(project);
  }

  @Post()
  @HttpCode(200)
  @Operation({ id: 'addProjectMetadatas', tag: 'projectMetadata', summary: 'Set a setting that the project does not have yet', refuses: ['NOT_FOUND', 'CONFLICT'], audits })
  @Requires(projectPermission('metadata', 'create'))
  @RespondsNothing()
  add(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Body({ schema: MetadataReq }) request: MetadataReq): Promise<void> {
    return this.metadata.add(project, caller, request);
  }

  @Get(ONE)
  @Operation({ id: 'getProjectMetadata', tag: 'projectMetadata', summary: 'One setting of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('metadata', 'read'))
  @Responds(Metadata)
  get(@ProjectParam() project: KnownProject, @Param('meta_name') name: string): Promise<Metadata> {
    return this.metadata.get(project, name);
  }

  @Put(ONE)
  @Operation({ id: 'updateProjectMetadata', tag: 'projectMetadata', summary: 'Change one setting of a project', refuses: ['NOT_FOUND', 'CONFLICT'], audits })
  @Requires(projectPermission('metadata', 'update'))
  @RespondsNothing()
  update(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('meta_name') name: string, @Body({ schema: MetadataReq }) request: MetadataReq): Promise<void> {
    return this.metadata.update(project, caller, name, request);
  }

  @Delete(ONE)
  @Operation({ id: 'deleteProjectMetadata', tag: 'projectMetadata', summary: 'Take one setting of a project back', refuses: ['NOT_FOUND', 'CONFLICT'], audits })
  @Requires(projectPermission('metadata', 'delete'))
  @RespondsNothing()
  delete(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('meta_name') name: string): Promise<void> {
    return this.metadata.delete(project, caller, name);
  }
}
