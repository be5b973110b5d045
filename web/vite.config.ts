import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { packed } from './bundling/packed'

/** Where `npm run dev` finds the service. */
const service = process.env.SCRM_ADDRESS ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [vue(), packed()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: { __VUE_OPTIONS_API__: 'false', __INTLIFY_PROD_DEVTOOLS__: 'false', __VUE_I18N_LEGACY_API__: 'false' },
  build: { target: 'es2022', chunkSizeWarningLimit: 600 },
  server: {
    proxy: {
      '/api': service,
      '/ws': { target: service, ws: true },
      '/oauth': service,
    },
  },
  // Reading every file of the page takes its time on a machine that does other work.
  test: { environment: 'jsdom', include: ['tests/**/*.test.ts'], testTimeout: 60_000 },
})
