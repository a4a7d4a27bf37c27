import { Module } from '@nestjs/common';
import { ProjectController } from './project.controller.js';
import { ProjectService } from './project.service.js';
import { ProjectStore } from './project.store.js';

/** Projects: who owns which repositories, and how public they are. */
@Module({ controllers: [ProjectController], providers: [ProjectStore, ProjectService] })
export class ProjectModule {}
