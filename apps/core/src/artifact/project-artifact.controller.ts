import { Controller, Get, Query } from '@nestjs/common';
import { Artifact, ProjectArtifactListQuery, type Page } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsPageOf } from '../http/response.interceptor.js';
import { ArtifactService } from './artifact.service.js';

@Controller('api/v2.0/projects/:project_name_or_id/artifacts')
export class ProjectArtifactController {
  constructor(private readonly artifacts: ArtifactService) {}

  @Get()
  @Operation({ id: 'listArtifactsOfProject', tag: 'project', summary: 'List the artifacts of all repositories of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('artifact', 'list'))
  @RespondsPageOf(Artifact)
  list(@ProjectParam() project: KnownProject, @Query({ schema: ProjectArtifactListQuery }) query: ProjectArtifactListQuery): Promise<Page<Artifact>> {
    return this.artifacts.listOfProject(project, query);
  }
}
