import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { LabelModule } from '../label/label.module.js';
import { ArtifactCopyService } from './artifact-copy.service.js';
import { ArtifactFinder } from './artifact-finder.service.js';
import { ArtifactLabelController } from './artifact-label.controller.js';
import { ArtifactLabelService } from './artifact-label.service.js';
import { ArtifactPartsStore } from './artifact-parts.store.js';
import { ArtifactTagController } from './artifact-tag.controller.js';
import { ArtifactTagService } from './artifact-tag.service.js';
import { ArtifactView } from './artifact-view.service.js';
import { ArtifactController } from './artifact.controller.js';
import { ArtifactService } from './artifact.service.js';
import { ArtifactStore } from './artifact.store.js';
import { ImmutabilityStore } from './immutability.store.js';
import { ProjectArtifactController } from './project-artifact.controller.js';

/** Artifacts with their tags, labels and accessories. They are made by pushing and by copying. */
@Module({
  imports: [AuthorizationModule, LabelModule],
  controllers: [ArtifactController, ArtifactTagController, ArtifactLabelController, ProjectArtifactController],
  providers: [
    ArtifactStore, ArtifactPartsStore, ImmutabilityStore, ArtifactFinder, ArtifactView,
    ArtifactService, ArtifactTagService, ArtifactLabelService, ArtifactCopyService,
  ],
  exports: [ArtifactFinder, ImmutabilityStore],
})
export class ArtifactModule {}
