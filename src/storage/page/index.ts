export * from './branch-page.ts';
export * from './free-trunk-page.ts';
export * from './leaf-page.ts';
export * from './meta-page.ts';
export * from './overflow-page.ts';
export * from './page-header.ts';
export * from './slotted-page.ts';
