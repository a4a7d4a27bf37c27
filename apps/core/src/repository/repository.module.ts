import { Module } from '@nestjs/common';
import { RepositoryController } from './repository.controller.js';
import { RepositoryService } from './repository.service.js';
import { RepositoryStore } from './repository.store.js';

/** Repositories: their lists, descriptions and deletion. They are made by pushing. */
@Module({ controllers: [RepositoryController], providers: [RepositoryStore, RepositoryService] })
export class RepositoryModule {}
