# For documents as they are installed: what they link to in the sources is not there, so the
# name stays and the link goes. Run with: sed -zE -f
s#\[([^]]+)\]\((\.\./)*(src|ocf-tests|packaging|fuzz)/[^)]*\)#\1#g
