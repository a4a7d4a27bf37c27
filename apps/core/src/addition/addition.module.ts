import { Module } from '@nestjs/common';
import { ArtifactModule } from '../artifact/artifact.module.js';
import { AdditionContent } from './addition-content.service.js';
import { AdditionController } from './addition.controller.js';
import { AdditionService } from './addition.service.js';

/** What artifacts bring along beside their manifests. */
@Module({ imports: [ArtifactModule], controllers: [AdditionController], providers: [AdditionContent, AdditionService] })
export class AdditionModule {}
