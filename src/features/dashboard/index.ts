/** The product's own pages: dashboard, sign-in and "not found". Files only; what they show comes from `/api/v1`. */
export { createPages, PAGE_HEADERS } from './pages.ts'
export type { Pages, PagesOptions } from './pages.ts'
