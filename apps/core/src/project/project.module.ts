import { Module } from '@nestjs/common';
import { ProjectChangeService } from './project-change.service.js';
import { ProjectMetadataController } from './project-metadata.controller.js';
import { ProjectMetadataService } from './project-metadata.service.js';
import { ProjectController } from './project.controller.js';
import { ProjectService } from './project.service.js';
import { ProjectStore } from './project.store.js';

/** Projects: who owns which repositories, and how public they are. */
@Module({ controllers: [ProjectController, ProjectMetadataController], providers: [ProjectStore, ProjectService, ProjectChangeService, ProjectMetadataService], exports: [ProjectStore, ProjectService] })
export class ProjectModule {}
