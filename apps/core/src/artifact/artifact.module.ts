import { Module } from '@nestjs/common';
import { ArtifactPartsStore } from './artifact-parts.store.js';
import { ArtifactController } from './artifact.controller.js';
import { ArtifactService } from './artifact.service.js';
import { ArtifactStore } from './artifact.store.js';
import { BuildHistoryService } from './build-history.service.js';

/** Artifacts with their tags and accessories. They are made by pushing. */
@Module({ controllers: [ArtifactController], providers: [ArtifactStore, ArtifactPartsStore, BuildHistoryService, ArtifactService] })
export class ArtifactModule {}
