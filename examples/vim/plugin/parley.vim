" Asks Parley about the selected text, and streams the answer into a buffer.
" For Vim 8.2.924 or later with +job and +channel; it has run with 9.0. Not for Neovim, whose jobs are others.
"
" Put this folder (plugin/ and doc/) where packages are, ~/.vim/pack/parley/start/parley, then:
"   :'<,'>Parley what does this do?     asks about the selected text, in a new conversation and a buffer of its own
"   :Parley and in Python?              goes on, in such a buffer; anywhere else begins a conversation
"   :ParleyStop                         stops the answer that is being given, and keeps what was said
"   let g:parley_command = ['parley', 'serve', '--caller', 'userId:me', '--model', 'openai:gpt-5.4-mini']
" More: :help parley

if exists('g:loaded_parley') || !has('job') || !has('channel') || !has('patch-8.2.924') || &compatible
  finish
endif
let g:loaded_parley = 1

" The process, which all conversations share, and what it last wrote to stderr. Its output and its exit code end in any order.
let s:job = v:null
let s:log = []
let s:next_id = 1
" The buffers of the requests that are under way, by the request's id.
let s:buffers = {}

command! -range -nargs=+ Parley call s:ask(<range>, <line1>, <line2>, <q-args>)
command! ParleyStop call s:stop()

function s:ask(range, first, last, question) abort
  let text = a:question
  if a:range > 0
    let text ..= "\n\n```" .. &filetype .. "\n" .. s:selection(a:first, a:last) .. "\n```"
  endif
  let goes_on = exists('b:parley')
  if goes_on && b:parley.request
    return s:fail('The answer is still being given. :ParleyStop stops it.')
  endif
  if !s:start()
    return
  endif
  if !goes_on
    call s:open()
  endif
  let buffer = bufnr()
  let question = map(split(a:question, "\n"), {_, line -> '> ' .. line})
  if a:range > 0
    call add(question, '> (and ' .. (a:last - a:first + 1) .. ' selected line' .. (a:first == a:last ? ')' : 's)'))
  endif
  call appendbufline(buffer, '$', goes_on ? [''] + question + ['', ''] : question + ['', ''])
  if !goes_on
    call deletebufline(buffer, 1)
  endif
  call s:follow(buffer, 0)
  let params = #{text: text, commands: v:false}
  if !empty(b:parley.conversation)
    let params.conversationId = b:parley.conversation
  endif
  let b:parley.request = s:next_id
  let b:parley.message = ''
  let s:buffers[s:next_id] = buffer
  call s:send(#{id: s:next_id, method: 'sendMessage', params: params})
  let s:next_id += 1
endfunction

" The selected text exactly, if the lines are those of the selection; otherwise the lines.
function s:selection(first, last) abort
  if a:first != line("'<") || a:last != line("'>") || empty(visualmode())
    return join(getline(a:first, a:last), "\n")
  endif
  let [saved, unnamed] = [getreginfo('z'), getreginfo('"')]
  try
    silent noautocmd normal! gv"zy
    return substitute(getreg('z'), "\n$", '', '')
  finally
    call setreg('z', saved)
    call setreg('"', unnamed)
  endtry
endfunction

" Opens a buffer for a conversation.
function s:open() abort
  new
  setlocal buftype=nofile bufhidden=hide noswapfile filetype=markdown wrap linebreak
  let b:parley = #{conversation: '', request: 0, message: ''}
  silent execute 'file' fnameescape('[Parley ' .. bufnr() .. ']')
  autocmd BufWipeout <buffer> call s:cancel(str2nr(expand('<abuf>')))
endfunction

function s:stop() abort
  " Of another buffer's answers the latest.
  let request = exists('b:parley') ? b:parley.request : max(keys(s:buffers))
  if !request
    return s:fail('No answer is being given.')
  endif
  call s:cancel(s:buffers[request])
endfunction

function s:cancel(buffer) abort
  let request = get(getbufvar(a:buffer, 'parley', {}), 'request', 0)
  if request
    call s:send(#{method: '$/cancelRequest', params: #{id: request}})
  endif
endfunction

" Starts the process, unless it runs. Returns whether it does.
function s:start() abort
  if s:job isnot v:null
    return 1
  endif
  let command = get(g:, 'parley_command', ['parley', 'serve', '--caller', 'userId:' .. (empty($USER) ? 'me' : $USER)])
  let program = type(command) == v:t_list ? command[0] : split(command)[0]
  if !executable(program)
    call s:fail('There is no program ' .. program .. ': set g:parley_command.')
    return 0
  endif
  let s:log = []
  let waits_for = #{count: 2}
  let s:job = job_start(command, #{
        \ mode: 'nl', noblock: 1,
        \ out_cb: {_, line -> s:receive(line)},
        \ err_cb: {_, line -> s:keep(line)},
        \ close_cb: {_ -> s:end(waits_for)},
        \ exit_cb: {_, code -> s:end(waits_for, code)},
        \ })
  return 1
endfunction

function s:send(message) abort
  if s:job isnot v:null
    try
      call ch_sendraw(s:job, json_encode(extend(#{jsonrpc: '2.0'}, a:message)) .. "\n")
    catch /:E63[01]:\|:E906:/
      " It has just ended, of which s:end tells.
    endtry
  endif
endfunction

function s:receive(line) abort
  try
    let message = json_decode(a:line)
  catch
    return s:fail('What Parley says is no JSON: ' .. a:line[:79])
  endtry
  if has_key(message, 'method')
    let buffer = get(s:buffers, get(get(message, 'params', {}), 'requestId', 0), 0)
    if bufexists(buffer)
      call s:show(buffer, message.method, message.params)
    endif
    return
  endif
  " A notification is not answered, so that this is one of the requests, or a fault of this script, which has a null for its id.
  let buffer = has_key(s:buffers, message.id) ? remove(s:buffers, message.id) : 0
  if bufexists(buffer)
    let conversation = getbufvar(buffer, 'parley')
    let conversation.request = 0
    if has_key(message, 'result')
      call s:conclude(buffer, message.result.turn)
    else
      call s:append(buffer, '[' .. message.error.data.code .. ']')
    endif
  endif
  if has_key(message, 'error')
    call s:fail(s:explain(message.error))
  endif
endfunction

function s:show(buffer, method, params) abort
  let conversation = getbufvar(a:buffer, 'parley')
  let conversation.conversation = get(a:params, 'conversationId', conversation.conversation)
  if a:method ==# 'messageDelta'
    if !empty(conversation.message) && conversation.message !=# a:params.messageId
      call s:append(a:buffer, "\n\n")
    endif
    let conversation.message = a:params.messageId
    call s:append(a:buffer, a:params.delta)
  elseif a:method ==# 'toolCallStarted'
    call s:append(a:buffer, ' [' .. a:params.toolCall.name .. ']')
    let conversation.message = 'a tool'
  elseif a:method ==# 'retryScheduled'
    echomsg 'Parley:' a:params.error.message 'Trying again.'
  elseif a:method ==# 'quotaWarning'
    echomsg 'Parley:' a:params.message
  endif
endfunction

function s:conclude(buffer, turn) abort
  if a:turn.status !=# 'completed'
    call s:append(a:buffer, ' [' .. a:turn.status .. ']')
  endif
  if has_key(a:turn, 'error')
    call s:fail(s:explain(a:turn.error))
  endif
endfunction

function s:explain(error) abort
  let code = a:error.data.code
  if code ==# 'conversationBusy'
    return 'Another answer is being given in this conversation.'
  elseif code ==# 'notFound' && get(a:error.data, 'resource', '') ==# 'conversation'
    return 'The conversation is no more.'
  elseif get(a:error.data, 'retryAfterMs', 0)
    return a:error.message .. ' Try again in ' .. (a:error.data.retryAfterMs / 1000 + 1) .. ' s.'
  endif
  return a:error.message .. ' (' .. code .. ')'
endfunction

" Adds to the end of a buffer. Windows whose cursor is there follow.
function s:append(buffer, text) abort
  let last = getbufinfo(a:buffer)[0].linecount
  let lines = split(a:text, "\n", 1)
  call setbufline(a:buffer, last, getbufline(a:buffer, last)[0] .. lines[0])
  call appendbufline(a:buffer, last, lines[1:])
  call s:follow(a:buffer, last)
endfunction

" Moves the cursor to the end where it was at a line that was the last, or anywhere for 0.
function s:follow(buffer, last) abort
  for window in win_findbuf(a:buffer)
    if !a:last || line('.', window) == a:last
      call win_execute(window, 'normal! G')
    endif
  endfor
  redraw
endfunction

function s:keep(line) abort
  call add(s:log, a:line)
  if len(s:log) > 5
    call remove(s:log, 0)
  endif
endfunction

" Called when the output has ended, and when the process has, in any order.
function s:end(waits_for, code = v:null) abort
  let a:waits_for.count -= 1
  if a:code isnot v:null
    let a:waits_for.code = a:code
  endif
  if a:waits_for.count
    return
  endif
  let s:job = v:null
  for buffer in values(s:buffers)
    if bufexists(buffer)
      let conversation = getbufvar(buffer, 'parley')
      let conversation.request = 0
      call s:append(buffer, ' [interrupted]')
    endif
  endfor
  let s:buffers = {}
  call s:fail('It has ended with exit code ' .. a:waits_for.code .. '. ' .. join(s:log))
endfunction

function s:fail(message) abort
  echohl ErrorMsg
  echomsg 'Parley: ' .. a:message
  echohl None
endfunction
