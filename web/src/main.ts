import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { exposeModel } from './debug'
import { i18n } from './i18n'
import { makeRouter } from './router'
import './ui/theme.css'

const app = createApp(App)
const pinia = createPinia()
app.use(pinia)
app.use(i18n)
const router = makeRouter(pinia)
app.use(router)
exposeModel(pinia, router)
app.mount('#app')
